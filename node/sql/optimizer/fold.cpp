#include "node/sql/optimizer/fold.h"

#include <algorithm>
#include <utility>

#include "node/catalog/builtin.h"
#include "node/catalog/syscache.h"
#include "node/sql/binder/binder.h"
#include "node/sql/expression/expression.h"
#include "node/sql/query/expr_facts.h"
#include "node/sql/query/node_build.h"
#include "node/sql/query/tree_walk.h"

namespace walden {
namespace {

struct FunctionFacts {
  char volatility = 'v';
  bool strict = false;
};

FunctionFacts FactsOf(Oid function) {
  if (const BuiltinFunction* row = FindBuiltinFunction(function)) return {row->volatility, row->strict};
  if (RowRef<PgProcRow> row = FunctionRow(function)) return {row->provolatile, row->proisstrict};
  return {};
}

Oid FunctionOf(const Node* node) {
  if (const FuncExpr* call = TryAs<FuncExpr>(node)) return call->funcid;
  if (Is<OpExpr>(node) || Is<DistinctExpr>(node) || Is<NullIfExpr>(node)) {
    return static_cast<const OpExprFields*>(node)->opfuncid;
  }
  if (const ScalarArrayOpExpr* op = TryAs<ScalarArrayOpExpr>(node)) return op->opfuncid;
  return Oid::kInvalid;
}

class Folder {
 public:
  Folder(Arena& arena, const PlannerOptions& options) : arena_(arena), options_(options) {}

  Node* Fold(Node* node) {
    if (node == nullptr) return nullptr;
    if (Is<Param>(node)) return FoldParam(static_cast<Param*>(node));
    if (Is<Query>(node) || Is<RangeTblEntry>(node)) return node;  // planned, and folded, on their own
    // What is never evaluated must not be folded either: it may divide by zero.
    if (Is<BoolExpr>(node)) return FoldBool(As<BoolExpr>(node));
    if (Is<CaseExpr>(node)) return FoldCase(As<CaseExpr>(node));
    if (Is<CoalesceExpr>(node)) return FoldCoalesce(As<CoalesceExpr>(node));
    if (Is<CaseTestExpr>(node)) return case_value_ != nullptr ? Copy(case_value_, arena_) : node;
    const Const* case_value = case_value_;
    if (Is<ArrayCoerceExpr>(node)) case_value_ = nullptr;  // its CaseTestExpr is the element
    Node* folded = MutateChildren(node, arena_, [this](Node* child) { return Fold(child); });
    case_value_ = case_value;
    if (IsStrictOfNull(folded)) return NullOf(static_cast<Expr*>(folded));
    if (CanEvaluate(folded)) return Evaluate(static_cast<Expr*>(folded));
    return folded;
  }

 private:
  Node* FoldParam(Param* param) {
    if (param->paramkind != ParamKind::kExtern || options_.parameters.empty()) return param;
    size_t at = static_cast<size_t>(param->paramid) - 1;
    if (at >= options_.parameters.size()) return param;
    return MakeConst(arena_, param->paramtype, param->paramtypmod, param->paramcollid,
                     TypeOf(param->paramtype).physical, options_.parameters[at]);
  }

  static bool IsConst(const Node* node) { return Is<Const>(node); }

  // A strict function of a null is null, whatever its other arguments would do.
  static bool IsStrictOfNull(const Node* node) {
    const ExprList* args = nullptr;
    if (const FuncExpr* call = TryAs<FuncExpr>(node)) {
      if (call->funcretset || call->funcresulttype == type_oid::kRecord) return false;
      args = &call->args;
    } else if (const OpExpr* op = TryAs<OpExpr>(node)) {
      args = &op->args;
    } else {
      return false;
    }
    bool has_null = std::any_of(args->begin(), args->end(), [](const Expr* arg) {
      const Const* constant = TryAs<Const>(static_cast<const Node*>(arg));
      return constant != nullptr && constant->IsNull();
    });
    return has_null && FactsOf(FunctionOf(node)).strict;
  }

  Node* NullOf(const Expr* expr) {
    return MakeNullConst(arena_, ExprType(expr), ExprTypmod(expr), ExprCollation(expr),
                         TypeOf(ExprType(expr)).physical);
  }

  Expr* FoldExpr(Expr* expr) { return static_cast<Expr*>(Fold(expr)); }

  bool CanEvaluate(const Node* node) const {
    switch (node->tag) {
      case NodeTag::kFuncExpr:
        if (As<FuncExpr>(node)->funcretset) return false;
        // Its columns are known from the call, not from the value.
        if (As<FuncExpr>(node)->funcresulttype == type_oid::kRecord) return false;
        [[fallthrough]];
      case NodeTag::kOpExpr:
      case NodeTag::kDistinctExpr:
      case NodeTag::kNullIfExpr:
      case NodeTag::kScalarArrayOpExpr: {
        if (FactsOf(FunctionOf(node)).volatility != 'i') return false;
        break;
      }
      case NodeTag::kRelabelType:
      case NodeTag::kNullTest:
        if (Is<NullTest>(node) && As<NullTest>(node)->argisrow) return false;
        break;
      case NodeTag::kBooleanTest:
      case NodeTag::kArrayExpr:
      case NodeTag::kCollateExpr: break;
      case NodeTag::kCoerceViaIo: return CanFoldIo(As<CoerceViaIo>(node));
      default: return false;
    }
    return !AnyChild(node, [](const Node* child) { return !IsConst(child); });
  }

  // Text conversions of most types depend on settings; those of these do not.
  static bool CanFoldIo(const CoerceViaIo* cast) {
    auto is_plain = [](Oid type) {
      return type == type_oid::kText || type == type_oid::kVarchar || type == type_oid::kBpchar ||
             type == type_oid::kInt4 || type == type_oid::kInt8 || type == type_oid::kInt2 ||
             type == type_oid::kNumeric || type == type_oid::kBool || type == type_oid::kName ||
             type == type_oid::kUuid;
    };
    return IsConst(cast->arg) && is_plain(ExprType(cast->arg)) && is_plain(cast->resulttype);
  }

  Node* Evaluate(Expr* expr) {
    EvalContext context(arena_, options_.binding != nullptr ? options_.binding->format : DefaultTextFormat(),
                        options_.session);
    PhysicalType type = TypeOf(ExprType(expr)).physical;
    Value value = EvaluateConstant(expr, context);
    if (!value.is_null) value.datum = CopyDatum(type, value.datum, &arena_);
    return MakeConst(arena_, ExprType(expr), ExprTypmod(expr), ExprCollation(expr), type, value);
  }

  Node* FoldBool(BoolExpr* expr) {
    if (expr->boolop == BoolExprType::kNot) return FoldNot(expr);
    bool is_and = expr->boolop == BoolExprType::kAnd;
    ExprList kept;
    bool saw_null = false;
    for (Expr* unfolded : expr->args) {
      Expr* arg = FoldExpr(unfolded);
      if (const Const* constant = TryAs<Const>(static_cast<Node*>(arg))) {
        if (constant->IsNull()) {
          saw_null = true;
          continue;
        }
        if (constant->value.datum.b != is_and) return arg;  // decides
        continue;
      }
      const BoolExpr* nested = TryAs<BoolExpr>(static_cast<Node*>(arg));
      if (nested != nullptr && nested->boolop == expr->boolop) {
        for (Expr* inner : nested->args) kept.Append(arena_, inner);
      } else {
        kept.Append(arena_, arg);
      }
    }
    if (saw_null) kept.Append(arena_, MakeBoolConst(arena_, false, true));
    if (kept.empty()) return MakeBoolConst(arena_, is_and);
    return MakeBoolExpr(arena_, expr->boolop, kept);
  }

  Node* FoldNot(BoolExpr* expr) {
    Expr* arg = FoldExpr(expr->args[0]);
    if (Expr* negated = Negated(arg)) return negated;
    if (arg == expr->args[0]) return expr;
    return MakeNot(arena_, arg);
  }

  // What says the contrary without a NOT; null: nothing does.
  Expr* Negated(Expr* condition) {
    if (const Const* constant = TryAs<Const>(static_cast<Node*>(condition)))
      return MakeBoolConst(arena_, !constant->value.datum.b && !constant->IsNull(), constant->IsNull());
    if (const BoolExpr* expr = TryAs<BoolExpr>(static_cast<Node*>(condition))) return NegatedBool(*expr);
    if (const OpExpr* expr = TryAs<OpExpr>(static_cast<Node*>(condition))) return WithNegator(*expr);
    if (const auto* expr = TryAs<ScalarArrayOpExpr>(static_cast<Node*>(condition))) {
      ScalarArrayOpExpr* negated = WithNegator(*expr);
      if (negated != nullptr) negated->use_or = !negated->use_or;
      return negated;
    }
    // Both kinds of test are numbered in pairs of contraries.
    if (const NullTest* test = TryAs<NullTest>(static_cast<Node*>(condition));
        test != nullptr && !test->argisrow) {
      NullTest* negated = static_cast<NullTest*>(CopyShallow(test, arena_));
      negated->nulltesttype = static_cast<NullTestType>(static_cast<uint8_t>(test->nulltesttype) ^ 1);
      return negated;
    }
    if (const BooleanTest* test = TryAs<BooleanTest>(static_cast<Node*>(condition))) {
      BooleanTest* negated = static_cast<BooleanTest*>(CopyShallow(test, arena_));
      negated->booltesttype = static_cast<BoolTestType>(static_cast<uint8_t>(test->booltesttype) ^ 1);
      return negated;
    }
    return nullptr;
  }

  Expr* NegatedBool(const BoolExpr& expr) {
    if (expr.boolop == BoolExprType::kNot) return expr.args[0];
    ExprList args;
    for (Expr* arg : expr.args) {
      Expr* negated = Negated(arg);
      args.Append(arena_, negated != nullptr ? negated : MakeNot(arena_, arg));
    }
    return MakeBoolExpr(arena_, expr.boolop == BoolExprType::kAnd ? BoolExprType::kOr : BoolExprType::kAnd,
                        args);
  }

  template <class Operation>
  Operation* WithNegator(const Operation& expr) {
    const BuiltinOperator* op = FindBuiltinOperator(expr.opno);
    const BuiltinOperator* negator =
        op != nullptr && IsValid(op->negator) ? FindBuiltinOperator(op->negator) : nullptr;
    if (negator == nullptr) return nullptr;
    Operation* negated = static_cast<Operation*>(CopyShallow(&expr, arena_));
    negated->opno = negator->oid;
    negated->opfuncid = negator->function;
    return negated;
  }

  // The condition of a branch; that of a CASE with an argument compares it.
  Expr* FoldCondition(CaseWhen* when, const Const* case_value) {
    const Const* outer = std::exchange(case_value_, case_value);
    Expr* condition = FoldExpr(when->expr);
    case_value_ = outer;
    return condition;
  }

  // Branches that can never be taken go; a branch that is always taken ends the list.
  Node* FoldCase(CaseExpr* expr) {
    CaseExpr* folded = static_cast<CaseExpr*>(CopyShallow(expr, arena_));
    if (expr->arg != nullptr) folded->arg = FoldExpr(expr->arg);
    const Const* case_value = expr->arg != nullptr ? TryAs<Const>(static_cast<Node*>(folded->arg)) : nullptr;
    if (case_value != nullptr) folded->arg = nullptr;  // the conditions have it now
    folded->args.Clear();
    bool decided = false;
    for (CaseWhen* when : expr->args) {
      Expr* condition = FoldCondition(when, case_value);
      if (const Const* constant = TryAs<Const>(static_cast<Node*>(condition))) {
        if (constant->IsNull() || !constant->value.datum.b) continue;
        decided = true;
        folded->defresult = FoldExpr(when->result);
        break;
      }
      CaseWhen* kept = static_cast<CaseWhen*>(CopyShallow(when, arena_));
      kept->expr = condition;
      kept->result = FoldExpr(when->result);
      folded->args.Append(arena_, kept);
    }
    if (!decided && expr->defresult != nullptr) folded->defresult = FoldExpr(expr->defresult);
    if (!folded->args.empty()) return folded;
    return folded->defresult != nullptr ? static_cast<Node*>(folded->defresult) : NullOf(expr);
  }

  // Nulls go; a value that is not null ends the list.
  Node* FoldCoalesce(CoalesceExpr* expr) {
    CoalesceExpr* folded = static_cast<CoalesceExpr*>(CopyShallow(expr, arena_));
    folded->args.Clear();
    for (Expr* unfolded : expr->args) {
      Expr* arg = FoldExpr(unfolded);
      const Const* constant = TryAs<Const>(static_cast<Node*>(arg));
      if (constant != nullptr && constant->IsNull()) continue;
      folded->args.Append(arena_, arg);
      if (constant != nullptr) break;
    }
    if (folded->args.empty()) return NullOf(expr);
    Expr* first = folded->args[0];
    return Is<Const>(static_cast<Node*>(first)) ? static_cast<Node*>(first) : folded;
  }

  Arena& arena_;
  const PlannerOptions& options_;
  const Const* case_value_ = nullptr;  // what CaseTestExpr stands for, where that is known
};

}  // namespace

Node* FoldConstants(Node* node, Arena& arena, const PlannerOptions& options) {
  return Folder(arena, options).Fold(node);
}

char VolatilityOf(const Node* node) {
  if (node == nullptr) return 'i';
  char worst = 'i';
  if (Oid function = FunctionOf(node); IsValid(function)) worst = FactsOf(function).volatility;
  if (Is<SqlValueFunction>(node) || Is<CoerceViaIo>(node)) worst = 's';
  if (Is<NextValueExpr>(node)) worst = 'v';
  auto rank = [](char volatility) { return volatility == 'i' ? 0 : volatility == 's' ? 1 : 2; };
  AnyChild(node, [&](const Node* child) {
    char of_child = VolatilityOf(child);
    if (rank(of_child) > rank(worst)) worst = of_child;
    return worst == 'v';
  });
  return worst;
}

int VolatileCalls(const Node* node) {
  if (node == nullptr) return 0;
  Oid function = FunctionOf(node);
  int calls = Is<NextValueExpr>(node) || (IsValid(function) && FactsOf(function).volatility == 'v') ? 1 : 0;
  AnyChild(node, [&](const Node* child) {
    calls += VolatileCalls(child);
    return false;
  });
  return calls;
}

namespace {

RelSet Common(const RelSet& a, const RelSet& b) { return a - (a - b); }

// Relations any of whose nulls make the expression null; at the top, where it is a condition, null or false.
RelSet NullingRels(const Node* node, bool is_condition);

RelSet NullingArgs(const ExprList& args) {
  RelSet rels;
  for (const Expr* arg : args) rels |= NullingRels(arg, false);
  return rels;
}

RelSet NullingBool(const BoolExpr& expr, bool is_condition) {
  if (expr.boolop == BoolExprType::kNot) return NullingRels(expr.args[0], false);
  bool any = is_condition && expr.boolop == BoolExprType::kAnd;
  RelSet rels = NullingRels(expr.args[0], is_condition);
  for (uint32_t i = 1; i < expr.args.size(); ++i) {
    RelSet more = NullingRels(expr.args[i], is_condition);
    rels = any ? rels | more : Common(rels, more);
  }
  return rels;
}

RelSet NullingRels(const Node* node, bool is_condition) {
  if (const Var* var = TryAs<Var>(node)) {
    return var->varlevelsup == 0 && var->varno > 0 && var->varattno != 0 ? RelSet::Of(var->varno) : RelSet();
  }
  if (const OpExpr* op = TryAs<OpExpr>(node))
    return FactsOf(op->opfuncid).strict ? NullingArgs(op->args) : RelSet();
  if (const FuncExpr* call = TryAs<FuncExpr>(node)) {
    return FactsOf(call->funcid).strict && !call->funcretset ? NullingArgs(call->args) : RelSet();
  }
  if (const RelabelType* relabel = TryAs<RelabelType>(node)) return NullingRels(relabel->arg, is_condition);
  if (const CollateExpr* collate = TryAs<CollateExpr>(node)) return NullingRels(collate->arg, is_condition);
  if (const CoerceViaIo* coerce = TryAs<CoerceViaIo>(node)) return NullingRels(coerce->arg, false);
  if (const BoolExpr* expr = TryAs<BoolExpr>(node)) return NullingBool(*expr, is_condition);
  if (!is_condition) return {};
  if (const ScalarArrayOpExpr* op = TryAs<ScalarArrayOpExpr>(node)) {
    return op->use_or && FactsOf(op->opfuncid).strict ? NullingArgs(op->args) : RelSet();
  }
  if (const NullTest* test = TryAs<NullTest>(node)) {
    return test->nulltesttype == NullTestType::kIsNotNull && !test->argisrow ? NullingRels(test->arg, false)
                                                                             : RelSet();
  }
  if (const BooleanTest* test = TryAs<BooleanTest>(node)) {
    bool refuses_null = test->booltesttype == BoolTestType::kIsTrue ||
                        test->booltesttype == BoolTestType::kIsFalse ||
                        test->booltesttype == BoolTestType::kIsNotUnknown;
    return refuses_null ? NullingRels(test->arg, false) : RelSet();
  }
  return {};
}

}  // namespace

RelSet NonNullableRels(const Expr* condition) { return NullingRels(condition, true); }

}  // namespace walden
