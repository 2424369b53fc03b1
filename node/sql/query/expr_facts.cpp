#include "node/sql/query/expr_facts.h"

#include <algorithm>

#include "node/base/error.h"
#include "node/catalog/builtin.h"
#include "node/sql/query/tree_walk.h"

namespace walden {

namespace {

constexpr Oid kBoolOid{16};
constexpr Oid kInt4Oid{23};
constexpr Oid kTextOid{25};
constexpr Oid kXmlOid{142};
constexpr Oid kNameOid{19};
constexpr Oid kRecordOid{2249};
constexpr Oid kDefaultCollation{100};
constexpr Oid kCCollation{950};

const Expr* FirstColumn(const SubLink& link) {
  for (const TargetEntry* target : link.subselect->target_list) {
    if (!target->resjunk) return target->expr;
  }
  throw SqlError(ErrorCode::kInternalError, "subquery in an expression has no column");
}

Oid TypeOfSubLink(const SubLink& link) {
  switch (link.sub_link_type) {
    case SubLinkType::kExpr: return ExprType(FirstColumn(link));
    case SubLinkType::kArray: return link.array_type;
    case SubLinkType::kMultiExpr: return kRecordOid;
    default: return kBoolOid;
  }
}

Oid TypeOfSubPlan(const SubPlan& plan) {
  switch (plan.sub_link_type) {
    case SubLinkType::kExpr: return plan.first_col_type;
    case SubLinkType::kArray: return plan.array_type;
    case SubLinkType::kMultiExpr: return kRecordOid;
    default: return kBoolOid;
  }
}

// The modifier that all of the given expressions of type `type` agree on, else -1.
template <class Visit>
int32_t CommonTypmod(Oid type, Visit&& for_each) {
  int32_t common = -1;
  bool first = true, agree = true;
  for_each([&](const Expr* arg) {
    int32_t typmod = ExprTypmod(arg);
    if (ExprType(arg) != type || typmod < 0 || (!first && typmod != common)) agree = false;
    common = typmod;
    first = false;
  });
  return agree && !first ? common : -1;
}

int32_t TypmodOfCase(const CaseExpr& expr) {
  return CommonTypmod(expr.casetype, [&](auto&& visit) {
    if (expr.defresult == nullptr) return;
    visit(expr.defresult);
    for (const CaseWhen* when : expr.args) visit(when->result);
  });
}

int32_t TypmodOfArgs(Oid type, const ExprList& args) {
  return CommonTypmod(type, [&](auto&& visit) {
    for (const Expr* arg : args) visit(arg);
  });
}

// An array's typmod is its elements'; nested arrays have the array type themselves.
int32_t TypmodOfArray(const ArrayExpr& expr) {
  return TypmodOfArgs(expr.multidims ? expr.array_typeid : expr.element_typeid, expr.elements);
}

// A cast that only applies a length: the constant modifier is its second argument.
int32_t TypmodOfFunc(const FuncExpr& func) {
  bool is_cast =
      func.funcformat == CoercionForm::kExplicitCast || func.funcformat == CoercionForm::kImplicitCast;
  if (!is_cast || func.args.size() < 2 || func.args.size() > 3) return -1;
  const auto* modifier = TryAs<Const>(func.args[1]);
  if (modifier == nullptr || modifier->consttype != kInt4Oid || modifier->IsNull()) return -1;
  return modifier->value.datum.i32;
}

Location Leftmost(Location a, Location b) {
  if (!a.IsKnown()) return b;
  if (!b.IsKnown()) return a;
  return std::min(a.offset, b.offset);
}

template <class T>
Location LeftmostOf(const List<T*>& list) {
  // Items stand in source order: the first known one decides.
  for (const T* item : list) {
    if (Location location = ExprLocation(item); location.IsKnown()) return location;
  }
  return {};
}

bool AnyInTree(const Node* node, CallableRef<bool(const Node*)> test) {
  if (node == nullptr) return false;
  return test(node) || AnyChild(node, [&](const Node* child) { return AnyInTree(child, test); });
}

// Like AnyInTree, telling `test` how many queries down the node is: `level` at the top.
bool AnyBelow(const Node* node, uint32_t level, CallableRef<bool(const Node*, uint32_t)> test);
bool AnyWithLevel(const Node* node, uint32_t level, CallableRef<bool(const Node*, uint32_t)> test) {
  if (node == nullptr) return false;
  // A query that is the whole tree is looked at from inside.
  if (node->tag == NodeTag::kQuery) {
    return AnyChild(node, [&](const Node* child) { return AnyBelow(child, level, test); });
  }
  return AnyBelow(node, level, test);
}

bool AnyBelow(const Node* node, uint32_t level, CallableRef<bool(const Node*, uint32_t)> test) {
  if (test(node, level)) return true;
  uint32_t below = node->tag == NodeTag::kQuery ? level + 1 : level;
  return AnyChild(node, [&](const Node* child) { return AnyBelow(child, below, test); });
}

}  // namespace

Oid ExprType(const Node* expr) {
  if (expr == nullptr) return Oid::kInvalid;
  switch (expr->tag) {
    case NodeTag::kVar: return As<Var>(expr)->vartype;
    case NodeTag::kConst: return As<Const>(expr)->consttype;
    case NodeTag::kParam: return As<Param>(expr)->paramtype;
    case NodeTag::kAggref: return As<Aggref>(expr)->aggtype;
    case NodeTag::kGroupingFunc: return kInt4Oid;
    case NodeTag::kWindowFunc: return As<WindowFunc>(expr)->wintype;
    case NodeTag::kSubscriptingRef: return As<SubscriptingRef>(expr)->refrestype;
    case NodeTag::kFuncExpr: return As<FuncExpr>(expr)->funcresulttype;
    case NodeTag::kNamedArgExpr: return ExprType(As<NamedArgExpr>(expr)->arg);
    case NodeTag::kOpExpr:
    case NodeTag::kDistinctExpr:
    case NodeTag::kNullIfExpr: return static_cast<const OpExprFields*>(expr)->opresulttype;
    case NodeTag::kScalarArrayOpExpr:
    case NodeTag::kBoolExpr:
    case NodeTag::kRowCompareExpr:
    case NodeTag::kNullTest:
    case NodeTag::kBooleanTest:
    case NodeTag::kCurrentOfExpr: return kBoolOid;
    case NodeTag::kSubLink: return TypeOfSubLink(*As<SubLink>(expr));
    case NodeTag::kSubPlan: return TypeOfSubPlan(*As<SubPlan>(expr));
    case NodeTag::kFieldSelect: return As<FieldSelect>(expr)->resulttype;
    case NodeTag::kFieldStore: return As<FieldStore>(expr)->resulttype;
    case NodeTag::kRelabelType: return As<RelabelType>(expr)->resulttype;
    case NodeTag::kCoerceViaIo: return As<CoerceViaIo>(expr)->resulttype;
    case NodeTag::kArrayCoerceExpr: return As<ArrayCoerceExpr>(expr)->resulttype;
    case NodeTag::kConvertRowtypeExpr: return As<ConvertRowtypeExpr>(expr)->resulttype;
    case NodeTag::kCollateExpr: return ExprType(As<CollateExpr>(expr)->arg);
    case NodeTag::kCaseExpr: return As<CaseExpr>(expr)->casetype;
    case NodeTag::kCaseTestExpr: return As<CaseTestExpr>(expr)->type_id;
    case NodeTag::kArrayExpr: return As<ArrayExpr>(expr)->array_typeid;
    case NodeTag::kRowExpr: return As<RowExpr>(expr)->row_typeid;
    case NodeTag::kCoalesceExpr: return As<CoalesceExpr>(expr)->coalescetype;
    case NodeTag::kMinMaxExpr: return As<MinMaxExpr>(expr)->minmaxtype;
    case NodeTag::kSqlValueFunction: return As<SqlValueFunction>(expr)->type;
    case NodeTag::kXmlExpr: {
      const auto* xml = As<XmlExpr>(expr);
      if (xml->op == XmlExprOp::kIsDocument) return kBoolOid;
      return xml->op == XmlExprOp::kSerialize ? kTextOid : kXmlOid;
    }
    case NodeTag::kCoerceToDomain: return As<CoerceToDomain>(expr)->resulttype;
    case NodeTag::kCoerceToDomainValue: return As<CoerceToDomainValue>(expr)->type_id;
    case NodeTag::kSetToDefault: return As<SetToDefault>(expr)->type_id;
    case NodeTag::kNextValueExpr: return As<NextValueExpr>(expr)->type_id;
    case NodeTag::kInferenceElem: return ExprType(As<InferenceElem>(expr)->expr);
    case NodeTag::kPlaceHolderVar: return ExprType(As<PlaceHolderVar>(expr)->phexpr);
    case NodeTag::kTargetEntry: return ExprType(As<TargetEntry>(expr)->expr);
    default: throw SqlError(ErrorCode::kInternalError, "unrecognized node type: {}", NodeTagName(expr->tag));
  }
}

int32_t ExprTypmod(const Node* expr) {
  if (expr == nullptr) return -1;
  switch (expr->tag) {
    case NodeTag::kVar: return As<Var>(expr)->vartypmod;
    case NodeTag::kConst: return As<Const>(expr)->consttypmod;
    case NodeTag::kParam: return As<Param>(expr)->paramtypmod;
    case NodeTag::kSubscriptingRef: return As<SubscriptingRef>(expr)->reftypmod;
    case NodeTag::kFuncExpr: return TypmodOfFunc(*As<FuncExpr>(expr));
    case NodeTag::kNamedArgExpr: return ExprTypmod(As<NamedArgExpr>(expr)->arg);
    case NodeTag::kNullIfExpr: return ExprTypmod(As<NullIfExpr>(expr)->args[0]);
    case NodeTag::kSubLink: {
      const auto* link = As<SubLink>(expr);
      bool has_column =
          link->sub_link_type == SubLinkType::kExpr || link->sub_link_type == SubLinkType::kArray;
      return has_column ? ExprTypmod(FirstColumn(*link)) : -1;
    }
    case NodeTag::kSubPlan: {
      const auto* plan = As<SubPlan>(expr);
      bool has_column =
          plan->sub_link_type == SubLinkType::kExpr || plan->sub_link_type == SubLinkType::kArray;
      return has_column ? plan->first_col_typmod : -1;
    }
    case NodeTag::kFieldSelect: return As<FieldSelect>(expr)->resulttypmod;
    case NodeTag::kRelabelType: return As<RelabelType>(expr)->resulttypmod;
    case NodeTag::kArrayCoerceExpr: return As<ArrayCoerceExpr>(expr)->resulttypmod;
    case NodeTag::kCollateExpr: return ExprTypmod(As<CollateExpr>(expr)->arg);
    case NodeTag::kCaseExpr: return TypmodOfCase(*As<CaseExpr>(expr));
    case NodeTag::kCaseTestExpr: return As<CaseTestExpr>(expr)->type_mod;
    case NodeTag::kArrayExpr: return TypmodOfArray(*As<ArrayExpr>(expr));
    case NodeTag::kCoalesceExpr:
      return TypmodOfArgs(As<CoalesceExpr>(expr)->coalescetype, As<CoalesceExpr>(expr)->args);
    case NodeTag::kMinMaxExpr:
      return TypmodOfArgs(As<MinMaxExpr>(expr)->minmaxtype, As<MinMaxExpr>(expr)->args);
    case NodeTag::kSqlValueFunction: return As<SqlValueFunction>(expr)->typmod;
    case NodeTag::kCoerceToDomain: return As<CoerceToDomain>(expr)->resulttypmod;
    case NodeTag::kCoerceToDomainValue: return As<CoerceToDomainValue>(expr)->type_mod;
    case NodeTag::kSetToDefault: return As<SetToDefault>(expr)->type_mod;
    case NodeTag::kPlaceHolderVar: return ExprTypmod(As<PlaceHolderVar>(expr)->phexpr);
    case NodeTag::kTargetEntry: return ExprTypmod(As<TargetEntry>(expr)->expr);
    default: return -1;
  }
}

Oid ExprCollation(const Node* expr) {
  if (expr == nullptr) return Oid::kInvalid;
  switch (expr->tag) {
    case NodeTag::kVar: return As<Var>(expr)->varcollid;
    case NodeTag::kConst: return As<Const>(expr)->constcollid;
    case NodeTag::kParam: return As<Param>(expr)->paramcollid;
    case NodeTag::kAggref: return As<Aggref>(expr)->aggcollid;
    case NodeTag::kWindowFunc: return As<WindowFunc>(expr)->wincollid;
    case NodeTag::kSubscriptingRef: return As<SubscriptingRef>(expr)->refcollid;
    case NodeTag::kFuncExpr: return As<FuncExpr>(expr)->funccollid;
    case NodeTag::kNamedArgExpr: return ExprCollation(As<NamedArgExpr>(expr)->arg);
    case NodeTag::kOpExpr:
    case NodeTag::kDistinctExpr:
    case NodeTag::kNullIfExpr: return static_cast<const OpExprFields*>(expr)->opcollid;
    case NodeTag::kSubLink: {
      const auto* link = As<SubLink>(expr);
      bool has_column =
          link->sub_link_type == SubLinkType::kExpr || link->sub_link_type == SubLinkType::kArray;
      return has_column ? ExprCollation(FirstColumn(*link)) : Oid::kInvalid;
    }
    case NodeTag::kSubPlan: {
      const auto* plan = As<SubPlan>(expr);
      bool has_column =
          plan->sub_link_type == SubLinkType::kExpr || plan->sub_link_type == SubLinkType::kArray;
      return has_column ? plan->first_col_collation : Oid::kInvalid;
    }
    case NodeTag::kFieldSelect: return As<FieldSelect>(expr)->resultcollid;
    case NodeTag::kRelabelType: return As<RelabelType>(expr)->resultcollid;
    case NodeTag::kCoerceViaIo: return As<CoerceViaIo>(expr)->resultcollid;
    case NodeTag::kArrayCoerceExpr: return As<ArrayCoerceExpr>(expr)->resultcollid;
    case NodeTag::kCollateExpr: return As<CollateExpr>(expr)->coll_oid;
    case NodeTag::kCaseExpr: return As<CaseExpr>(expr)->casecollid;
    case NodeTag::kCaseTestExpr: return As<CaseTestExpr>(expr)->collation;
    case NodeTag::kArrayExpr: return As<ArrayExpr>(expr)->array_collid;
    case NodeTag::kCoalesceExpr: return As<CoalesceExpr>(expr)->coalescecollid;
    case NodeTag::kMinMaxExpr: return As<MinMaxExpr>(expr)->minmaxcollid;
    case NodeTag::kSqlValueFunction:
      return As<SqlValueFunction>(expr)->type == kNameOid ? kCCollation : Oid::kInvalid;
    case NodeTag::kXmlExpr:
      return As<XmlExpr>(expr)->op == XmlExprOp::kSerialize ? kDefaultCollation : Oid::kInvalid;
    case NodeTag::kCoerceToDomain: return As<CoerceToDomain>(expr)->resultcollid;
    case NodeTag::kCoerceToDomainValue: return As<CoerceToDomainValue>(expr)->collation;
    case NodeTag::kSetToDefault: return As<SetToDefault>(expr)->collation;
    case NodeTag::kInferenceElem: return ExprCollation(As<InferenceElem>(expr)->expr);
    case NodeTag::kPlaceHolderVar: return ExprCollation(As<PlaceHolderVar>(expr)->phexpr);
    case NodeTag::kTargetEntry: return ExprCollation(As<TargetEntry>(expr)->expr);
    default: return Oid::kInvalid;
  }
}

Oid ExprInputCollation(const Node* expr) {
  if (expr == nullptr) return Oid::kInvalid;
  switch (expr->tag) {
    case NodeTag::kAggref: return As<Aggref>(expr)->inputcollid;
    case NodeTag::kWindowFunc: return As<WindowFunc>(expr)->inputcollid;
    case NodeTag::kFuncExpr: return As<FuncExpr>(expr)->inputcollid;
    case NodeTag::kOpExpr:
    case NodeTag::kDistinctExpr:
    case NodeTag::kNullIfExpr: return static_cast<const OpExprFields*>(expr)->inputcollid;
    case NodeTag::kScalarArrayOpExpr: return As<ScalarArrayOpExpr>(expr)->inputcollid;
    case NodeTag::kMinMaxExpr: return As<MinMaxExpr>(expr)->inputcollid;
    default: return Oid::kInvalid;
  }
}

Location ExprLocation(const Node* expr) {
  if (expr == nullptr) return {};
  switch (expr->tag) {
    case NodeTag::kVar: return As<Var>(expr)->location;
    case NodeTag::kConst: return As<Const>(expr)->location;
    case NodeTag::kParam: return As<Param>(expr)->location;
    case NodeTag::kAggref: return As<Aggref>(expr)->location;
    case NodeTag::kGroupingFunc: return As<GroupingFunc>(expr)->location;
    case NodeTag::kWindowFunc: return As<WindowFunc>(expr)->location;
    case NodeTag::kSubscriptingRef: return ExprLocation(As<SubscriptingRef>(expr)->refexpr);
    case NodeTag::kFuncExpr:
      return Leftmost(As<FuncExpr>(expr)->location, LeftmostOf(As<FuncExpr>(expr)->args));
    case NodeTag::kNamedArgExpr:
      return Leftmost(As<NamedArgExpr>(expr)->location, ExprLocation(As<NamedArgExpr>(expr)->arg));
    case NodeTag::kOpExpr:
    case NodeTag::kDistinctExpr:
    case NodeTag::kNullIfExpr: {
      const auto* op = static_cast<const OpExprFields*>(expr);
      return Leftmost(op->location, LeftmostOf(op->args));
    }
    case NodeTag::kScalarArrayOpExpr:
      return Leftmost(As<ScalarArrayOpExpr>(expr)->location, LeftmostOf(As<ScalarArrayOpExpr>(expr)->args));
    case NodeTag::kBoolExpr:
      return Leftmost(As<BoolExpr>(expr)->location, LeftmostOf(As<BoolExpr>(expr)->args));
    case NodeTag::kSubLink:
      return Leftmost(ExprLocation(As<SubLink>(expr)->testexpr), As<SubLink>(expr)->location);
    case NodeTag::kFieldSelect: return ExprLocation(As<FieldSelect>(expr)->arg);
    case NodeTag::kFieldStore: return ExprLocation(As<FieldStore>(expr)->arg);
    case NodeTag::kRelabelType:
      return Leftmost(As<RelabelType>(expr)->location, ExprLocation(As<RelabelType>(expr)->arg));
    case NodeTag::kCoerceViaIo:
      return Leftmost(As<CoerceViaIo>(expr)->location, ExprLocation(As<CoerceViaIo>(expr)->arg));
    case NodeTag::kArrayCoerceExpr:
      return Leftmost(As<ArrayCoerceExpr>(expr)->location, ExprLocation(As<ArrayCoerceExpr>(expr)->arg));
    case NodeTag::kConvertRowtypeExpr:
      return Leftmost(As<ConvertRowtypeExpr>(expr)->location,
                      ExprLocation(As<ConvertRowtypeExpr>(expr)->arg));
    case NodeTag::kCollateExpr: return ExprLocation(As<CollateExpr>(expr)->arg);
    case NodeTag::kCaseExpr: return As<CaseExpr>(expr)->location;
    case NodeTag::kCaseWhen: return As<CaseWhen>(expr)->location;
    case NodeTag::kArrayExpr: return As<ArrayExpr>(expr)->location;
    case NodeTag::kRowExpr: return As<RowExpr>(expr)->location;
    case NodeTag::kRowCompareExpr: return LeftmostOf(As<RowCompareExpr>(expr)->largs);
    case NodeTag::kCoalesceExpr: return As<CoalesceExpr>(expr)->location;
    case NodeTag::kMinMaxExpr: return As<MinMaxExpr>(expr)->location;
    case NodeTag::kSqlValueFunction: return As<SqlValueFunction>(expr)->location;
    case NodeTag::kXmlExpr: return Leftmost(As<XmlExpr>(expr)->location, LeftmostOf(As<XmlExpr>(expr)->args));
    case NodeTag::kNullTest:
      return Leftmost(As<NullTest>(expr)->location, ExprLocation(As<NullTest>(expr)->arg));
    case NodeTag::kBooleanTest:
      return Leftmost(As<BooleanTest>(expr)->location, ExprLocation(As<BooleanTest>(expr)->arg));
    case NodeTag::kCoerceToDomain:
      return Leftmost(As<CoerceToDomain>(expr)->location, ExprLocation(As<CoerceToDomain>(expr)->arg));
    case NodeTag::kCoerceToDomainValue: return As<CoerceToDomainValue>(expr)->location;
    case NodeTag::kSetToDefault: return As<SetToDefault>(expr)->location;
    case NodeTag::kInferenceElem: return ExprLocation(As<InferenceElem>(expr)->expr);
    case NodeTag::kPlaceHolderVar: return ExprLocation(As<PlaceHolderVar>(expr)->phexpr);
    case NodeTag::kTargetEntry: return ExprLocation(As<TargetEntry>(expr)->expr);
    default: return {};
  }
}

bool ExprReturnsSet(const Node* expr) {
  if (const auto* func = TryAs<FuncExpr>(expr)) return func->funcretset;
  if (const auto* op = TryAs<OpExpr>(expr)) return op->opretset;
  return false;
}

bool ContainsSetReturning(const Node* expr) {
  return AnyWithLevel(expr, 0,
                      [](const Node* node, uint32_t level) { return level == 0 && ExprReturnsSet(node); });
}

bool ContainsAggregate(const Node* expr) {
  return AnyWithLevel(expr, 0, [](const Node* node, uint32_t level) {
    if (const auto* aggregate = TryAs<Aggref>(node)) return aggregate->agglevelsup == level;
    if (const auto* grouping = TryAs<GroupingFunc>(node)) return grouping->agglevelsup == level;
    return false;
  });
}

bool ContainsWindowFunc(const Node* expr) {
  return AnyWithLevel(expr, 0,
                      [](const Node* node, uint32_t level) { return level == 0 && Is<WindowFunc>(node); });
}

bool ContainsSubLink(const Node* expr) {
  return AnyInTree(expr, [](const Node* node) { return Is<SubLink>(node); });
}

bool ContainsVarOfLevel(const Node* expr, uint32_t levels_up) {
  return AnyWithLevel(expr, levels_up, [](const Node* node, uint32_t level) {
    if (const auto* var = TryAs<Var>(node)) return var->varlevelsup == level;
    if (Is<CurrentOfExpr>(node)) return level == 0;
    if (const auto* holder = TryAs<PlaceHolderVar>(node)) return holder->phlevelsup == level;
    return false;
  });
}

bool ContainsVar(const Node* expr) {
  return AnyWithLevel(expr, 0, [](const Node* node, uint32_t level) {
    const auto* var = TryAs<Var>(node);
    return var != nullptr && var->varlevelsup >= level;
  });
}

namespace {

void ShiftLevel(uint32_t* level, int delta, uint32_t min_level) {
  if (*level >= min_level) *level = static_cast<uint32_t>(static_cast<int>(*level) + delta);
}

void IncrementLevels(Node* node, int delta, uint32_t min_level) {
  switch (node->tag) {
    case NodeTag::kVar: return ShiftLevel(&As<Var>(node)->varlevelsup, delta, min_level);
    case NodeTag::kAggref: ShiftLevel(&As<Aggref>(node)->agglevelsup, delta, min_level); break;
    case NodeTag::kGroupingFunc: ShiftLevel(&As<GroupingFunc>(node)->agglevelsup, delta, min_level); break;
    case NodeTag::kPlaceHolderVar: ShiftLevel(&As<PlaceHolderVar>(node)->phlevelsup, delta, min_level); break;
    case NodeTag::kRangeTblEntry:
      if (auto* rte = As<RangeTblEntry>(node); rte->rtekind == RteKind::kCte) {
        ShiftLevel(&rte->ctelevelsup, delta, min_level);
      }
      break;
    default: break;
  }
  uint32_t below = node->tag == NodeTag::kQuery ? min_level + 1 : min_level;
  ReplaceChildren(node, [=](Node* child) {
    IncrementLevels(child, delta, below);
    return child;
  });
}

void OffsetIndexes(Node* node, int offset, uint32_t level);

void OffsetQueryIndexes(Query* query, int offset) {
  if (query->result_relation != 0) query->result_relation += offset;
  if (query->on_conflict != nullptr && query->on_conflict->excl_rel_index != 0) {
    query->on_conflict->excl_rel_index += offset;
  }
  for (RowMarkClause* mark : query->row_marks) mark->rti += static_cast<uint32_t>(offset);
}

void OffsetIndexes(Node* node, int offset, uint32_t level) {
  if (auto* var = TryAs<Var>(node)) {
    if (var->varlevelsup != level) return;
    var->varno += offset;
    if (var->varnosyn > 0) var->varnosyn += static_cast<uint32_t>(offset);
    return;
  }
  if (level == 0) {
    if (auto* current = TryAs<CurrentOfExpr>(node)) current->cvarno += static_cast<uint32_t>(offset);
    if (auto* leaf = TryAs<RangeTblRef>(node)) leaf->rtindex += offset;
    if (auto* join = TryAs<JoinExpr>(node); join != nullptr && join->rtindex != 0) join->rtindex += offset;
  }
  uint32_t below = node->tag == NodeTag::kQuery ? level + 1 : level;
  ReplaceChildren(node, [=](Node* child) {
    OffsetIndexes(child, offset, below);
    return child;
  });
}

}  // namespace

void IncrementVarLevels(Node* tree, int delta, uint32_t min_level) {
  if (tree == nullptr) return;
  if (tree->tag != NodeTag::kQuery) return IncrementLevels(tree, delta, min_level);
  // As PostgreSQL: levels are counted from inside the query given.
  ReplaceChildren(tree, [=](Node* child) {
    IncrementLevels(child, delta, min_level);
    return child;
  });
}

void OffsetVarNumbers(Node* tree, int offset, uint32_t level) {
  if (tree == nullptr) return;
  auto* query = TryAs<Query>(tree);
  if (query == nullptr) return OffsetIndexes(tree, offset, level);
  if (level == 0) OffsetQueryIndexes(query, offset);
  ReplaceChildren(tree, [=](Node* child) {
    OffsetIndexes(child, offset, level);
    return child;
  });
}

Expr* StripRelabel(Expr* expr) {
  while (auto* relabel = TryAs<RelabelType>(expr)) expr = relabel->arg;
  return expr;
}

const Expr* StripRelabel(const Expr* expr) { return StripRelabel(const_cast<Expr*>(expr)); }

bool IsDescending(const SortGroupClause& clause) {
  const BuiltinOperator* op = FindBuiltinOperator(clause.sortop);
  return op != nullptr && op->name.starts_with(">");
}

const char* SetOperationName(SetOperation op) {
  return op == SetOperation::kUnion ? "UNION" : op == SetOperation::kIntersect ? "INTERSECT" : "EXCEPT";
}

TargetEntry* FindSortGroupTarget(const List<TargetEntry*>& targets, uint32_t ref) {
  for (TargetEntry* target : targets) {
    if (target->ressortgroupref == ref) return target;
  }
  return nullptr;
}

TargetEntry* FindTarget(const List<TargetEntry*>& targets, AttrNumber resno) {
  for (TargetEntry* target : targets) {
    if (target->resno == resno) return target;
  }
  return nullptr;
}

TargetEntry* SortGroupTarget(const SortGroupClause& clause, const List<TargetEntry*>& targets) {
  TargetEntry* target = FindSortGroupTarget(targets, clause.tle_sort_group_ref);
  CHECK(target != nullptr);
  return target;
}

}  // namespace walden
