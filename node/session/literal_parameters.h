// A statement's literals as parameters, so that one plan serves every text that differs in their values alone.
//
// Extraction runs on the analysed query: analysis has seen real constants and decided types as it always does; afterwards each
// constant that stands for a literal becomes a parameter of the same type, and so does what can be computed from literals
// alone ('2.50'::numeric(8,1), 1 + 2), as the planner would have computed it. Values are made from the text of each execution with the
// type's own input function, so that what depends on settings or on time ('now') is computed each time.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "node/sql/expression/expression.h"
#include "node/sql/parser/fingerprint.h"
#include "node/sql/query/query.h"
#include "node/types/type_table.h"

namespace walden {

class LiteralParameters {
 public:
  // Replaces in `query` (fresh from Bind, changed in place) the constants of `literals` by $1, $2, ... Nothing when analysis used
  // some literal otherwise than as a constant whose value it does not look at: such a statement has no shared form. `arena` is the
  // query's and must outlive the result.
  static std::optional<LiteralParameters> Extract(Query* query, std::span<const StatementLiteral> literals,
                                                  Arena& arena);

  // The types of $1, $2, ...
  std::vector<Oid> Types() const;
  // Their values for a text with these literals, appended to `values`; by-reference bytes in `arena`. Throws what input functions and
  // operators throw, without a position.
  void Read(std::string_view text, std::span<const StatementLiteral> literals, const TextFormat& format,
            SessionHooks* session, Arena& arena, std::vector<Value>* values);

 private:
  friend class LiteralExtractor;
  struct Source {
    uint32_t literal;  // index in Fingerprint::literals
    bool negated;
    Oid type;
    int32_t typmod;
  };
  struct Parameter {
    std::vector<Source> sources;
    Oid type;
    ExprStatePtr expression;  // over $1.. = the sources' values; null: the one source's value itself
  };
  std::vector<Parameter> parameters_;
};

// Does `query` (fresh from Bind) hold a constant made from a literal of `source` whose meaning passes: 'now', 'today', the name of an
// object? Such an analysis holds for its own statement only. Errs on the side of yes.
bool HasPassingLiteral(const Query& query, std::string_view source);

}  // namespace walden
