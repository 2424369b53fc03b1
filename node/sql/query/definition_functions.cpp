#include "node/sql/query/definition_functions.h"

#include "node/catalog/namespace.h"
#include "node/sql/functions/scalar.h"
#include "node/sql/functions/text_result.h"
#include "node/sql/query/catalog_deparse_names.h"
#include "node/sql/query/object_definitions.h"

namespace walden {

namespace {

using View = std::string_view;
using Maybe = std::optional<View>;

CatalogDeparseNames NamesOf(CallContext& c) { return CatalogDeparseNames(c.format, c.session); }
Maybe Result(CallContext& c, const std::optional<std::string>& text) {
  return text ? Maybe(Keep(c, *text)) : std::nullopt;
}
Oid RelationByName(View name) { return FindRelation(ToCatalogName(ParseIdentifiers(name))); }

Maybe ViewDef(CallContext& c, Oid view) { return Result(c, ViewDefinition(view, NamesOf(c), false)); }
Maybe ViewDefPretty(CallContext& c, Oid view, bool pretty) {
  return Result(c, ViewDefinition(view, NamesOf(c), pretty));
}
Maybe ViewDefWrap(CallContext& c, Oid view, int32_t wrap) {
  return Result(c, ViewDefinition(view, NamesOf(c), true, wrap));
}
Maybe ViewDefByName(CallContext& c, View name) { return ViewDef(c, RelationByName(name)); }
Maybe ViewDefByNamePretty(CallContext& c, View name, bool pretty) {
  return ViewDefPretty(c, RelationByName(name), pretty);
}

Maybe IndexDef(CallContext& c, Oid index) { return Result(c, IndexDefinition(index, 0, NamesOf(c), false)); }
Maybe IndexDefColumn(CallContext& c, Oid index, int32_t column, bool pretty) {
  return Result(c, IndexDefinition(index, column, NamesOf(c), pretty));
}
Maybe ConstraintDef(CallContext& c, Oid oid) {
  return Result(c, ConstraintDefinition(oid, NamesOf(c), false));
}
Maybe ConstraintDefPretty(CallContext& c, Oid oid, bool pretty) {
  return Result(c, ConstraintDefinition(oid, NamesOf(c), pretty));
}
Maybe TriggerDef(CallContext& c, Oid oid) { return Result(c, TriggerDefinition(oid, NamesOf(c), false)); }
Maybe TriggerDefPretty(CallContext& c, Oid oid, bool pretty) {
  return Result(c, TriggerDefinition(oid, NamesOf(c), pretty));
}

Maybe Expression(CallContext& c, View stored, Oid relation) {
  return Result(c, StoredExpression(stored, relation, NamesOf(c), false));
}
Maybe ExpressionPretty(CallContext& c, View stored, Oid relation, bool pretty) {
  return Result(c, StoredExpression(stored, relation, NamesOf(c), pretty));
}

Maybe FunctionDef(CallContext& c, Oid oid) { return Result(c, FunctionDefinition(oid, NamesOf(c))); }
Maybe Arguments(CallContext& c, Oid oid) { return Result(c, FunctionArguments(oid, NamesOf(c), true)); }
Maybe IdentityArguments(CallContext& c, Oid oid) {
  return Result(c, FunctionArguments(oid, NamesOf(c), false));
}
Maybe ResultType(CallContext& c, Oid oid) { return Result(c, FunctionResult(oid)); }

Maybe RuleDef(CallContext& c, Oid oid) { return Result(c, RuleDefinition(oid, NamesOf(c), false)); }
Maybe RuleDefPretty(CallContext& c, Oid oid, bool pretty) {
  return Result(c, RuleDefinition(oid, NamesOf(c), pretty));
}
Maybe ArgumentDefault(CallContext& c, Oid function, int32_t argument) {
  return Result(c, FunctionArgumentDefault(function, argument, NamesOf(c)));
}
Maybe SerialSequence(CallContext& c, View table, View column) {
  return Result(c, OwnedSequence(RelationByName(table), column));
}
// Kinds of object that cannot exist: no partitioned tables, statistics objects or SQL bodies.
Maybe NoSuchObject(Oid) { return std::nullopt; }

constexpr ScalarFunction kFunctions[] = {
    Scalar<&ViewDef>("pg_get_viewdef"),
    Scalar<&ViewDefPretty>("pg_get_viewdef_ext"),
    Scalar<&ViewDefWrap>("pg_get_viewdef_wrap"),
    Scalar<&ViewDefByName>("pg_get_viewdef_name"),
    Scalar<&ViewDefByNamePretty>("pg_get_viewdef_name_ext"),
    Scalar<&IndexDef>("pg_get_indexdef"),
    Scalar<&IndexDefColumn>("pg_get_indexdef_ext"),
    Scalar<&ConstraintDef>("pg_get_constraintdef"),
    Scalar<&ConstraintDefPretty>("pg_get_constraintdef_ext"),
    Scalar<&TriggerDef>("pg_get_triggerdef"),
    Scalar<&TriggerDefPretty>("pg_get_triggerdef_ext"),
    Scalar<&Expression>("pg_get_expr"),
    Scalar<&ExpressionPretty>("pg_get_expr_ext"),
    Scalar<&FunctionDef>("pg_get_functiondef"),
    Scalar<&Arguments>("pg_get_function_arguments"),
    Scalar<&IdentityArguments>("pg_get_function_identity_arguments"),
    Scalar<&ResultType>("pg_get_function_result"),
    Scalar<&ArgumentDefault>("pg_get_function_arg_default"),
    Scalar<&RuleDef>("pg_get_ruledef"),
    Scalar<&RuleDefPretty>("pg_get_ruledef_ext"),
    Scalar<&SerialSequence>("pg_get_serial_sequence"),
    Scalar<&NoSuchObject>("pg_get_partkeydef"),
    Scalar<&NoSuchObject>("pg_get_partition_constraintdef"),
    Scalar<&NoSuchObject>("pg_get_statisticsobjdef"),
    Scalar<&NoSuchObject>("pg_get_statisticsobjdef_columns"),
    Scalar<&NoSuchObject>("pg_get_statisticsobjdef_expressions"),
    Scalar<&NoSuchObject>("pg_get_function_sqlbody"),
};

}  // namespace

std::span<const ScalarFunction> DefinitionFunctions() { return kFunctions; }

}  // namespace walden
