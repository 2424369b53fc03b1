// The statement cache's key: a statement's text with its literals taken out, found by one pass over the
// bytes.
//
// Two statements with equal keys differ in the values of their listed literals alone: the tokens between
// them, the literals' kinds and everything that analysis may look at are in the key. What stays in the key
// although it is a literal: ordinals (all of ORDER BY, GROUP BY, PARTITION BY, DISTINCT ON), LIMIT, OFFSET
// and FETCH, type modifiers and array bounds after "::" and AS, E'', U&'', B'', X'', N'' and dollar-quoted
// strings, strings continued on another line, numbers at the edge of an integer type.
//
// Whoever caches a plan under a key must check that it found every listed literal as a Const (by location) in
// the analysed query: a literal that analysis consumed otherwise makes the statement unfit for sharing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace walden {

enum class LiteralKind : uint8_t {
  kInt4,     // unsigned digits up to 2147483647
  kInt8,     // up to 9223372036854775807
  kNumeric,  // any other number
  kString,   // '...', of unknown type until analysis
};

struct StatementLiteral {
  LiteralKind kind;
  int32_t offset;       // of its first byte (of the quote) in the source: the location of its Const
  int32_t length;       // in bytes, quotes included
  int32_t sign_offset;  // of a '-' before it, else -1; a negated constant has this location instead
};

struct Fingerprint {
  std::string key;
  std::vector<StatementLiteral> literals;
};

// Fills `out` (its memory is reused) for a single SELECT, INSERT, UPDATE, DELETE, MERGE, WITH, VALUES or
// TABLE statement. Returns false for anything else and for text it cannot judge: then there is no key but the
// exact text. Requires standard_conforming_strings. `sql` is valid UTF-8; it need not be valid SQL.
bool ScanFingerprint(std::string_view sql, Fingerprint* out);

// The value of a kString literal: `quoted` with its quotes, doubled ones reduced. Appends to `out`.
void AppendUnquoted(std::string_view quoted, std::string* out);

}  // namespace walden
