// A statement's literals as parameters, so that one plan serves every text that differs in their values alone.
//
// Extraction runs on the analysed query: analysis has seen real constants and decided types as it always does; afterwards each
// constant that stands for a literal becomes a parameter of the same type. Values are made from the text of each
// execution with the type's own input function, so that what depends on settings or on time ('now') is computed each time.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "node/sql/parser/fingerprint.h"
#include "node/sql/query/query.h"
#include "node/types/text_format.h"
#include "node/types/type_table.h"

namespace walden {

// One occurrence of a literal in a query: $n of its shared plan.
struct LiteralParameter {
  uint32_t literal = 0;  // index in Fingerprint::literals
  bool negated = false;
  Oid type = Oid::kInvalid;
  int32_t typmod = -1;

  friend bool operator==(const LiteralParameter&, const LiteralParameter&) = default;
};

// Replaces in `query` (fresh from Bind, changed in place) the constants of `literals` by $1, $2, ... and returns what each stands for.
// Nothing when analysis used some literal otherwise than as a constant whose value it does not look at: such a statement has no
// shared form.
std::optional<std::vector<LiteralParameter>> ExtractLiterals(Query* query, std::span<const StatementLiteral> literals, Arena& arena);

// Does `query` (fresh from Bind) hold a constant made from a literal of `source` whose meaning passes: 'now', 'today', the name of an
// object? Such an analysis holds for its own statement only. Errs on the side of yes.
bool HasPassingLiteral(const Query& query, std::string_view source);

// The parameters' values for a text with these literals, appended to `values`; by-reference bytes in `arena`. Throws what input
// functions throw (without a position).
void ReadLiterals(std::string_view text, std::span<const StatementLiteral> literals, std::span<const LiteralParameter> parameters,
                  const TextFormat& format, ObjectNames* names, Arena& arena, std::vector<Value>* values);

}  // namespace walden
