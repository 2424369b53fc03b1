#include "node/sql/binder/bind_state.h"

namespace walden {
namespace {

struct KindWords {
  const char* name;
  const char* plural;
  const char* singular;
};
constexpr KindWords kKindWords[] = {
#define X(kind, name, plural, singular) {name, plural, singular},
#include "node/sql/binder/expr_kinds.def"
#undef X
};

const KindWords& WordsOf(ExprKind kind) { return kKindWords[static_cast<size_t>(kind)]; }

}  // namespace

const char* ExprKindName(ExprKind kind) { return WordsOf(kind).name; }
const char* ExprKindPhrase(ExprKind kind) {
  const KindWords& words = WordsOf(kind);
  return words.plural[0] != '\0' ? words.plural : words.name;
}
const char* ExprKindSubqueryPhrase(ExprKind kind) { return WordsOf(kind).singular; }

}  // namespace walden
