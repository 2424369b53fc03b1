#include "node/sql/functions/function_table.h"
#include "node/sql/functions/scalar.h"

namespace walden {
namespace {

bool Eq(bool a, bool b) { return a == b; }
bool Ne(bool a, bool b) { return a != b; }
bool Lt(bool a, bool b) { return a < b; }
bool Gt(bool a, bool b) { return a > b; }
bool Le(bool a, bool b) { return a <= b; }
bool Ge(bool a, bool b) { return a >= b; }
int32_t Compare(bool a, bool b) { return int{a} - int{b}; }
bool And(bool a, bool b) { return a && b; }
bool Or(bool a, bool b) { return a || b; }
int32_t ToInt(bool a) { return a ? 1 : 0; }
bool FromInt(int32_t a) { return a != 0; }
std::string_view ToText(bool a) { return a ? "true" : "false"; }

constexpr ScalarFunction kTable[] = {
    Fast<&Eq>("booleq"),
    Fast<&Ne>("boolne"),
    Fast<&Lt>("boollt"),
    Fast<&Gt>("boolgt"),
    Fast<&Le>("boolle"),
    Fast<&Ge>("boolge"),
    Fast<&Compare>("btboolcmp"),
    Scalar<&And>("booland_statefunc"),
    Scalar<&Or>("boolor_statefunc"),
    Scalar<&ToInt>("bool_int4"),
    Scalar<&FromInt>("int4_bool"),
    Scalar<&ToText>("booltext"),
};

}  // namespace

std::span<const ScalarFunction> BoolFunctions() { return kTable; }

}  // namespace walden
