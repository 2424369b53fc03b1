#include "node/sql/binder/function_result.h"

namespace walden {
namespace {

bool IsOutMode(char mode) { return mode == 'o' || mode == 'b' || mode == 't'; }

ExprList CallArguments(const Expr* expr) {
  if (const auto* call = TryAs<FuncExpr>(expr)) return call->args;
  if (const auto* op = TryAs<OpExpr>(expr)) return op->args;
  return {};
}

// The row that OUT parameters make, polymorphic ones resolved by the call's argument types.
bool OutColumns(BindContext& context, const FunctionInfo& function, const Expr* call,
                std::vector<ColumnInfo>* columns) {
  if (function.all_arguments.empty() || function.result != type_oid::kRecord) return false;
  std::vector<Oid> actual;
  for (const Expr* argument : CallArguments(call)) actual.push_back(ExprType(argument));
  std::vector<Oid> declared = function.arguments;
  actual.resize(declared.size(), type_oid::kUnknown);
  size_t number = 0;
  for (size_t i = 0; i < function.all_arguments.size(); ++i) {
    if (!IsOutMode(function.modes[i])) continue;
    ++number;
    ColumnInfo column;
    column.name = function.argument_names.empty() ? "" : function.argument_names[i];
    if (column.name.empty()) column.name = fmt::format("column{}", number);
    column.type = function.all_arguments[i];
    if (TypeRules::IsPolymorphic(column.type)) {
      std::vector<Oid> copy = declared;
      column.type = context.types.ResolvePolymorphic(actual, copy, column.type, true);
    }
    column.collation = context.types.CollationOf(column.type);
    columns->push_back(std::move(column));
  }
  return columns->size() > 1 || (columns->size() == 1 && function.result == type_oid::kRecord);
}

std::vector<ColumnInfo> RelationColumns(BindContext& context, Oid relation) {
  const RelationInfo* info = context.catalog.GetRelation(relation, RelationLockNeed::kNone);
  if (info == nullptr) {
    throw SqlError(ErrorCode::kInternalError, "cache lookup failed for relation {}", OidNumber(relation));
  }
  return info->columns;
}

}  // namespace

std::string_view SingleOutName(const FunctionInfo& function) {
  std::string_view name;
  if (function.argument_names.empty()) return name;
  for (size_t i = 0; i < function.modes.size(); ++i) {
    if (!IsOutMode(function.modes[i])) continue;
    if (!name.empty() || function.argument_names[i].empty()) return {};
    name = function.argument_names[i];
  }
  return name;
}

ExprResult ResultOf(BindContext& context, const Expr* expr) {
  ExprResult result;
  result.type = ExprType(expr);
  Oid function{};
  if (const auto* call = TryAs<FuncExpr>(expr)) function = call->funcid;
  if (const auto* op = TryAs<OpExpr>(expr)) function = op->opfuncid;
  if (IsValid(function)) {
    const FunctionInfo* info = context.catalog.GetFunction(function);
    if (info != nullptr && OutColumns(context, *info, expr, &result.columns)) {
      result.shape = ResultShape::kComposite;
      result.from_out_parameters = true;
      return result;
    }
  }
  const auto* row = TryAs<RowExpr>(expr);
  if (row != nullptr && row->row_typeid == type_oid::kRecord && !row->colnames.empty()) {
    for (uint32_t i = 0; i < row->args.size(); ++i) {
      ColumnInfo column;
      column.name = i < row->colnames.size() ? std::string(row->colnames[i]) : fmt::format("f{}", i + 1);
      column.type = ExprType(row->args[i]);
      column.typmod = ExprTypmod(row->args[i]);
      column.collation = ExprCollation(row->args[i]);
      result.columns.push_back(std::move(column));
    }
    result.shape = ResultShape::kComposite;
    return result;
  }
  if (result.type == type_oid::kRecord) {
    result.shape = ResultShape::kRecord;
    return result;
  }
  result.relation = context.types.RowRelation(result.type);
  if (IsValid(result.relation)) {
    result.shape = ResultShape::kComposite;
    result.columns = RelationColumns(context, result.relation);
    return result;
  }
  const TypeInfo& type = context.types.Get(result.type);
  bool pseudo = type.kind == 'p' && result.type != type_oid::kVoid && result.type != type_oid::kCString;
  result.shape = pseudo ? ResultShape::kOther : ResultShape::kScalar;
  return result;
}

}  // namespace walden
