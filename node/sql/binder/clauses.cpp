#include "node/sql/binder/clauses.h"

#include <algorithm>

#include "node/sql/binder/coercion.h"
#include "node/sql/binder/expressions.h"
#include "node/sql/binder/operators.h"
#include "node/sql/binder/range_table.h"
#include "node/sql/binder/target_list.h"
#include "node/sql/binder/type_names.h"

namespace walden {
namespace {

uint32_t AssignSortGroupRef(TargetEntry* target, const TargetList& targets) {
  if (target->ressortgroupref != 0) return target->ressortgroupref;
  uint32_t highest = 0;
  for (const TargetEntry* other : targets) highest = std::max(highest, other->ressortgroupref);
  return target->ressortgroupref = highest + 1;
}

// Is the entry in the list already, with this or the opposite operator (any, when `sortop` is invalid)?
bool InSortList(BindState& state, const TargetEntry& target, Oid sortop, const SortList& list) {
  if (target.ressortgroupref == 0) return false;
  return std::ranges::any_of(list, [&](const SortGroupClause* clause) {
    if (clause->tle_sort_group_ref != target.ressortgroupref) return false;
    if (!IsValid(sortop) || clause->sortop == sortop) return true;
    const OperatorInfo* op = state.catalog().GetOperator(clause->sortop);
    return op != nullptr && op->commutator == sortop;
  });
}

// The value without casts that the user did not write.
const Expr* StripImplicitCoercions(const Expr* expr) {
  constexpr CoercionForm kImplicit = CoercionForm::kImplicitCast;
  const Expr* inner = nullptr;
  if (const auto* call = TryAs<FuncExpr>(expr); call != nullptr && call->funcformat == kImplicit)
    inner = call->args[0];
  if (const auto* cast = TryAs<RelabelType>(expr); cast != nullptr && cast->relabelformat == kImplicit) {
    inner = cast->arg;
  }
  if (const auto* cast = TryAs<CoerceViaIo>(expr); cast != nullptr && cast->coerceformat == kImplicit) {
    inner = cast->arg;
  }
  if (const auto* cast = TryAs<ArrayCoerceExpr>(expr); cast != nullptr && cast->coerceformat == kImplicit) {
    inner = cast->arg;
  }
  if (const auto* cast = TryAs<ConvertRowtypeExpr>(expr);
      cast != nullptr && cast->convertformat == kImplicit) {
    inner = cast->arg;
  }
  if (const auto* cast = TryAs<CoerceToDomain>(expr); cast != nullptr && cast->coercionformat == kImplicit) {
    inner = cast->arg;
  }
  return inner == nullptr ? expr : StripImplicitCoercions(inner);
}

// The aggregate or window function that stands highest in the tree, for error positions.
template <class T>
const T* FindFirst(const Node* node) {
  if (node == nullptr || Is<Query>(node)) return nullptr;
  if (const auto* found = TryAs<T>(node)) return found;
  const T* found = nullptr;
  AnyChild(node, [&](const Node* child) {
    found = FindFirst<T>(child);
    return found != nullptr;
  });
  return found;
}

// An output column named by GROUP BY must not contain what GROUP BY cannot.
void CheckOutputReference(BindState& state, const TargetEntry& target, ExprKind kind) {
  if (kind != ExprKind::kGroupBy) return;
  if (state.has_aggs && ContainsAggregate(target.expr)) {
    throw SqlError(ErrorCode::kGroupingError, "aggregate functions are not allowed in {}", ExprKindName(kind))
        .WithPosition(state.Position(FindFirst<Aggref>(target.expr)->location));
  }
  if (state.has_window_funcs && ContainsWindowFunc(target.expr)) {
    throw SqlError(ErrorCode::kWindowingError, "window functions are not allowed in {}", ExprKindName(kind))
        .WithPosition(state.Position(FindFirst<WindowFunc>(target.expr)->location));
  }
}

TargetEntry* FindByExpression(BindState& state, const ast::Node* node, TargetList* targets, ExprKind kind) {
  Expr* expr = BindExpr(state, node, kind);
  for (TargetEntry* target : *targets) {
    if (EqualNodes(expr, StripImplicitCoercions(target->expr))) return target;
  }
  TargetEntry* junk = BindTarget(state, node, expr, kind, {}, true);
  targets->Append(state.arena(), junk);
  return junk;
}

// SQL92: a bare name may be an output column, a bare number its position.
TargetEntry* FindByNameOrPosition(BindState& state, const ast::Node* node, TargetList* targets,
                                  ExprKind kind) {
  if (const auto* reference = ast::TryAs<ast::ColumnRef>(node);
      reference != nullptr && reference->fields.size() == 1 && ast::Is<ast::String>(reference->fields[0])) {
    std::string_view name = ast::StringOf(reference->fields[0]);
    bool input_column =
        kind == ExprKind::kGroupBy && FindColumn(state, name, true, reference->location) != nullptr;
    TargetEntry* found = nullptr;
    for (TargetEntry* target : *targets) {
      if (input_column || target->resjunk || target->resname != name) continue;
      if (found != nullptr && !EqualNodes(found->expr, target->expr)) {
        throw SqlError(ErrorCode::kAmbiguousColumn, "{} \"{}\" is ambiguous", ExprKindName(kind), name)
            .WithPosition(state.Position(reference->location));
      }
      if (found == nullptr) found = target;
    }
    if (found != nullptr) {
      CheckOutputReference(state, *found, kind);
      return found;
    }
  }
  if (const auto* constant = ast::TryAs<ast::AConst>(node)) {
    const auto* number = constant->isnull ? nullptr : ast::TryAs<ast::Integer>(constant->val);
    if (number == nullptr) {
      throw SqlError(ErrorCode::kSyntaxError, "non-integer constant in {}", ExprKindName(kind))
          .WithPosition(state.Position(constant->location));
    }
    int position = 0;
    for (TargetEntry* target : *targets) {
      if (target->resjunk || ++position != number->ival) continue;
      CheckOutputReference(state, *target, kind);
      return target;
    }
    throw SqlError(ErrorCode::kInvalidColumnReference, "{} position {} is not in select list",
                   ExprKindName(kind), number->ival)
        .WithPosition(state.Position(constant->location));
  }
  return FindByExpression(state, node, targets, kind);
}

TargetEntry* FindTargetFor(BindState& state, const ast::Node* node, TargetList* targets, ExprKind kind,
                           bool sql99) {
  return sql99 ? FindByExpression(state, node, targets, kind)
               : FindByNameOrPosition(state, node, targets, kind);
}

TypeOperators OperatorsAt(BindState& state, Oid type, bool less, bool greater, Location location) {
  try {
    return SortOperators(state, type, less, true, greater);
  } catch (SqlError& error) {
    error.WithPosition(state.Position(location));
    throw;
  }
}

// Where an item that means `target` was written.
Location SyntaxLocation(const ast::Node* item, const TargetEntry& target) {
  if (const auto* constant = ast::TryAs<ast::AConst>(item)) return constant->location;
  if (const auto* column = ast::TryAs<ast::ColumnRef>(item)) return column->location;
  return ExprLocation(target.expr);
}

// ORDER BY x USING op.
SortGroupClause UsingOperator(BindState& state, const ast::SortBy& item, Oid type, bool* reverse) {
  const OperatorInfo& op =
      RequireOperator(state, OperatorName(state, item.use_op), type, type, item.location);
  for (const BtreeInterpretation& meaning : state.catalog().BtreeInterpretations(op.oid)) {
    if (meaning.strategy != 1 && meaning.strategy != 5) continue;
    *reverse = meaning.strategy == 5;
    SortGroupClause clause;
    clause.sortop = op.oid;
    clause.eqop = state.catalog().BtreeMember(meaning.family, meaning.left, meaning.right, 3);
    const OperatorInfo* equal = state.catalog().GetOperator(clause.eqop);
    clause.hashable = equal != nullptr && equal->can_hash;
    return clause;
  }
  throw SqlError(ErrorCode::kWrongObjectType, "operator {} is not a valid ordering operator",
                 JoinNames(item.use_op))
      .WithHint("Ordering operators must be \"<\" or \">\" members of btree operator families.")
      .WithPosition(state.Position(item.location));
}

const SortGroupClause* FindClause(const SortList& list, uint32_t ref) {
  auto found = std::ranges::find(list, ref, &SortGroupClause::tle_sort_group_ref);
  return found == list.end() ? nullptr : *found;
}

// ---- grouping sets ----

bool IsImplicitRow(const ast::Node* node) {
  const auto* row = ast::TryAs<ast::RowExpr>(node);
  return row != nullptr && row->row_format == CoercionForm::kImplicitCast;
}

// GROUP BY items with superfluous nesting removed. An item is an expression, a GroupingSet, or (inside a set) a
// ListNode of expressions.
void Flatten(BindState& state, ast::Node* node, bool top, bool* has_sets, ast::NodeList* to) {
  if (IsImplicitRow(node)) {
    ast::NodeList inner;
    for (ast::Node* argument : ast::As<ast::RowExpr>(node)->args)
      Flatten(state, argument, /*top=*/true, nullptr, &inner);
    if (top) {
      to->AppendAll(state.arena(), inner);
    } else {
      auto* list = state.New<ast::ListNode>();
      list->items = inner;
      to->Append(state.arena(), list);
    }
    return;
  }
  auto* set = ast::TryAs<ast::GroupingSet>(node);
  if (set == nullptr) {
    to->Append(state.arena(), node);
    return;
  }
  if (has_sets != nullptr) *has_sets = true;
  if (top && set->kind == GroupingSetKind::kEmpty) return;
  auto* flat = state.New<ast::GroupingSet>();
  flat->kind = set->kind;
  flat->location = set->location;
  for (ast::Node* item : set->content) {
    ast::NodeList inner;
    Flatten(state, item, false, nullptr, &inner);
    // GROUPING SETS within GROUPING SETS is the same as its parts.
    if (set->kind == GroupingSetKind::kSets && inner.size() == 1 && ast::Is<ast::GroupingSet>(inner[0]) &&
        ast::As<ast::GroupingSet>(inner[0])->kind == GroupingSetKind::kSets) {
      flat->content.AppendAll(state.arena(), ast::As<ast::GroupingSet>(inner[0])->content);
    } else {
      flat->content.AppendAll(state.arena(), inner);
    }
  }
  to->Append(state.arena(), flat);
}

// What one GROUP BY is bound with.
struct GroupBinding {
  BindState& state;
  TargetList* targets;
  const SortList& sort;
  ExprKind kind;
  bool sql99;
  SortList flat;
};

// Returns the reference, or 0 for a repetition at the same level.
uint32_t BindGroupItem(GroupBinding* group, const ast::Node* node, std::vector<uint32_t>* seen, bool top) {
  BindState& state = group->state;
  TargetEntry* target = FindTargetFor(state, node, group->targets, group->kind, group->sql99);
  if (target->ressortgroupref > 0) {
    if (std::ranges::find(*seen, target->ressortgroupref) != seen->end()) return 0;
    if (InSortList(state, *target, Oid{}, group->flat)) {
      seen->push_back(target->ressortgroupref);
      return target->ressortgroupref;
    }
    // An equal ORDER BY item decides the operators, so that one sort serves both.
    if (const SortGroupClause* clause = FindClause(group->sort, target->ressortgroupref)) {
      auto* copy = state.arena().New<SortGroupClause>(*clause);
      if (!top) copy->nulls_first = false;
      group->flat.Append(state.arena(), copy);
      seen->push_back(target->ressortgroupref);
      return target->ressortgroupref;
    }
  }
  AddToGroupList(state, target, &group->flat, group->targets, ExprLocation(target->expr));
  seen->push_back(target->ressortgroupref);
  return target->ressortgroupref;
}

GroupingSet* SimpleSet(GroupBinding* group, const ast::NodeList& items, Location location) {
  auto* simple = group->state.New<GroupingSet>();
  simple->kind = GroupingSetKind::kSimple;
  simple->location = location;
  std::vector<uint32_t> seen;
  for (const ast::Node* item : items) {
    if (uint32_t ref = BindGroupItem(group, item, &seen, false); ref > 0) {
      simple->refs.Append(group->state.arena(), static_cast<int32_t>(ref));
    }
  }
  return simple;
}

GroupingSet* BindGroupingSet(GroupBinding* group, const ast::GroupingSet& set) {
  BindState& state = group->state;
  auto* result = state.New<GroupingSet>();
  result->kind = set.kind;
  result->location = set.location;
  for (ast::Node* item : set.content) {
    if (const auto* list = ast::TryAs<ast::ListNode>(item)) {
      result->sets.Append(state.arena(), SimpleSet(group, list->items, set.location));
    } else if (const auto* inner = ast::TryAs<ast::GroupingSet>(item)) {
      result->sets.Append(state.arena(), BindGroupingSet(group, *inner));
    } else {
      ast::NodeList one(state.arena(), {item});
      result->sets.Append(state.arena(), SimpleSet(group, one, set.location));
    }
  }
  constexpr uint32_t kMaxCube = 12;
  if (set.kind == GroupingSetKind::kCube && result->sets.size() > kMaxCube) {
    throw SqlError(ErrorCode::kTooManyColumns, "CUBE is limited to {} elements", kMaxCube)
        .WithPosition(state.Position(set.location));
  }
  return result;
}

}  // namespace

void AddToSortList(BindState& state, TargetEntry* target, SortList* list, TargetList* targets,
                   const ast::SortBy& item) {
  target->expr = ResolveUnknown(state, target->expr);
  Oid type = ExprType(target->expr);
  SortGroupClause clause;
  bool reverse = false;
  if (item.sortby_dir == SortByDir::kUsing) {
    clause = UsingOperator(state, item, type, &reverse);
  } else {
    reverse = item.sortby_dir == SortByDir::kDesc;
    Location location = item.location.IsKnown() ? item.location : SyntaxLocation(item.node, *target);
    TypeOperators operators = OperatorsAt(state, type, !reverse, reverse, location);
    clause.sortop = reverse ? operators.greater : operators.less;
    clause.eqop = operators.equal;
    clause.hashable = operators.hashable;
  }
  if (InSortList(state, *target, clause.sortop, *list)) return;
  clause.tle_sort_group_ref = AssignSortGroupRef(target, *targets);
  clause.nulls_first =
      item.sortby_nulls == SortByNulls::kDefault ? reverse : item.sortby_nulls == SortByNulls::kFirst;
  list->Append(state.arena(), state.arena().New<SortGroupClause>(clause));
}

void AddToGroupList(BindState& state, TargetEntry* target, SortList* list, TargetList* targets,
                    Location location) {
  target->expr = ResolveUnknown(state, target->expr);
  if (InSortList(state, *target, Oid{}, *list)) return;
  TypeOperators operators = OperatorsAt(state, ExprType(target->expr), false, false, location);
  auto* clause = state.New<SortGroupClause>();
  clause->tle_sort_group_ref = AssignSortGroupRef(target, *targets);
  clause->eqop = operators.equal;
  clause->sortop = operators.less;
  clause->hashable = operators.hashable;
  list->Append(state.arena(), clause);
}

SortList BindSort(BindState& state, const ast::NodeList& items, TargetList* targets, ExprKind kind,
                  bool sql99) {
  SortList list;
  for (const ast::Node* node : items) {
    const auto& item = *ast::As<ast::SortBy>(node);
    TargetEntry* target = FindTargetFor(state, item.node, targets, kind, sql99);
    AddToSortList(state, target, &list, targets, item);
  }
  return list;
}

SortList BindGroup(BindState& state, const ast::NodeList& items, List<GroupingSet*>* sets,
                   TargetList* targets, const SortList& sort, ExprKind kind, bool sql99) {
  GroupBinding group{state, targets, sort, kind, sql99, {}};
  ast::NodeList flat;
  bool has_sets = false;
  for (ast::Node* item : items) Flatten(state, item, true, &has_sets, &flat);
  if (flat.empty() && has_sets) {
    auto* empty = state.New<ast::GroupingSet>();
    if (const auto* first = ast::TryAs<ast::GroupingSet>(items[0])) empty->location = first->location;
    flat.Append(state.arena(), empty);
  }
  std::vector<uint32_t> seen;
  for (ast::Node* item : flat) {
    if (const auto* set = ast::TryAs<ast::GroupingSet>(item)) {
      sets->Append(state.arena(), BindGroupingSet(&group, *set));
      continue;
    }
    uint32_t ref = BindGroupItem(&group, item, &seen, true);
    if (ref == 0 || !has_sets) continue;
    auto* simple = state.New<GroupingSet>();
    simple->kind = GroupingSetKind::kSimple;
    simple->refs.Append(state.arena(), static_cast<int32_t>(ref));
    sets->Append(state.arena(), simple);
  }
  return group.flat;
}

SortList BindDistinct(BindState& state, TargetList* targets, const SortList& sort, bool is_aggregate) {
  SortList list;
  for (const SortGroupClause* clause : sort) {
    const TargetEntry* target = SortGroupTarget(*clause, *targets);
    if (target->resjunk) {
      throw SqlError(ErrorCode::kInvalidColumnReference,
                     is_aggregate
                         ? "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list"
                         : "for SELECT DISTINCT, ORDER BY expressions must appear in select list")
          .WithPosition(state.Position(ExprLocation(target->expr)));
    }
    list.Append(state.arena(), state.arena().New<SortGroupClause>(*clause));
  }
  for (TargetEntry* target : *targets) {
    if (!target->resjunk) AddToGroupList(state, target, &list, targets, ExprLocation(target->expr));
  }
  if (list.empty()) {
    throw SqlError(ErrorCode::kSyntaxError, is_aggregate
                                                ? "an aggregate with DISTINCT must have at least one argument"
                                                : "SELECT DISTINCT must have at least one column");
  }
  return list;
}

SortList BindDistinctOn(BindState& state, const ast::NodeList& items, TargetList* targets,
                        const SortList& sort) {
  struct Wanted {
    uint32_t ref;
    TargetEntry* target;
    const ast::Node* item;
  };
  std::vector<Wanted> wanted;
  for (const ast::Node* item : items) {
    TargetEntry* target = FindByNameOrPosition(state, item, targets, ExprKind::kDistinctOn);
    wanted.push_back({AssignSortGroupRef(target, *targets), target, item});
  }
  auto mismatch = [&](const Wanted& want) {
    SqlError error(ErrorCode::kInvalidColumnReference,
                   "SELECT DISTINCT ON expressions must match initial ORDER BY expressions");
    error.WithPosition(state.Position(SyntaxLocation(want.item, *want.target)));
    return error;
  };
  SortList list;
  bool skipped = false;
  for (const SortGroupClause* clause : sort) {
    auto found = std::ranges::find(wanted, clause->tle_sort_group_ref, &Wanted::ref);
    if (found == wanted.end()) {
      skipped = true;
    } else if (skipped) {
      throw mismatch(*found);
    } else {
      list.Append(state.arena(), state.arena().New<SortGroupClause>(*clause));
    }
  }
  for (const Wanted& want : wanted) {
    TargetEntry* target = want.target;
    if (InSortList(state, *target, Oid{}, list)) continue;
    if (skipped) throw mismatch(want);
    AddToGroupList(state, target, &list, targets, ExprLocation(target->expr));
  }
  return list;
}

Expr* BindLimit(BindState& state, const ast::Node* node, ExprKind kind, const char* construct,
                LimitOption option) {
  if (node == nullptr) return nullptr;
  Expr* expr = CoerceToSpecific(state, BindExpr(state, node, kind), type_oid::kInt8, -1, construct);
  if (ContainsVarOfLevel(expr, 0)) {
    throw SqlError(ErrorCode::kInvalidColumnReference, "argument of {} must not contain variables", construct)
        .WithPosition(state.Position(FindFirst<Var>(expr)->location));
  }
  const auto* constant = ast::TryAs<ast::AConst>(node);
  if (kind == ExprKind::kLimit && option == LimitOption::kWithTies && constant != nullptr &&
      constant->isnull) {
    throw SqlError(ErrorCode::kInvalidRowCountInLimitClause,
                   "row count cannot be null in FETCH FIRST ... WITH TIES clause");
  }
  return expr;
}

}  // namespace walden
