#include "node/sql/binder/aggregates.h"

#include <algorithm>

#include "node/sql/binder/clauses.h"
#include "node/sql/binder/coercion.h"
#include "node/sql/binder/target_list.h"

namespace walden {
namespace {

// The lowest query levels that an aggregate's arguments refer to, -1 for none.
struct ArgumentLevels {
  int var = -1;
  int aggregate = -1;
  const Node* lowest_aggregate = nullptr;

  int Level() const {
    if (var < 0) return std::max(aggregate, 0);
    return aggregate < 0 ? var : std::min(var, aggregate);
  }
};

Location AggregateLocation(const Node* node) {
  if (const auto* aggregate = TryAs<Aggref>(node)) return aggregate->location;
  if (const auto* grouping = TryAs<GroupingFunc>(node)) return grouping->location;
  return Location{};
}

class ArgumentWalker {
 public:
  explicit ArgumentWalker(BindState& state) : state_(state) {}

  void Walk(const Node* node) {
    if (node == nullptr) return;
    if (const auto* var = TryAs<Var>(node)) return NoteVar(static_cast<int>(var->varlevelsup));
    if (const auto* aggregate = TryAs<Aggref>(node)) return NoteAggregate(node, aggregate->agglevelsup);
    if (const auto* grouping = TryAs<GroupingFunc>(node)) return NoteAggregate(node, grouping->agglevelsup);
    if (const auto* rte = TryAs<RangeTblEntry>(node); rte != nullptr && rte->rtekind == RteKind::kCte) {
      NoteVar(static_cast<int>(rte->ctelevelsup));
    }
    if (sublevels_ == 0) RefuseAtTop(node);
    bool is_query = Is<Query>(node);
    sublevels_ += is_query ? 1 : 0;
    AnyChild(node, [&](const Node* child) {
      Walk(child);
      return false;
    });
    sublevels_ -= is_query ? 1 : 0;
  }

  const ArgumentLevels& levels() const { return levels_; }

 private:
  void NoteVar(int levels_up) {
    int level = levels_up - sublevels_;
    if (level >= 0 && (levels_.var < 0 || level < levels_.var)) levels_.var = level;
  }
  void NoteAggregate(const Node* node, uint32_t levels_up) {
    int level = static_cast<int>(levels_up) - sublevels_;
    if (level < 0 || (levels_.aggregate >= 0 && level >= levels_.aggregate)) return;
    levels_.aggregate = level;
    levels_.lowest_aggregate = node;
  }
  void RefuseAtTop(const Node* node) {
    const auto* call = TryAs<FuncExpr>(node);
    const auto* op = TryAs<OpExpr>(node);
    if ((call != nullptr && call->funcretset) || (op != nullptr && op->opretset)) {
      throw SqlError(ErrorCode::kFeatureNotSupported,
                     "aggregate function calls cannot contain set-returning function calls")
          .WithHint("You might be able to move the set-returning function into a LATERAL FROM item.")
          .WithPosition(state_.Position(ExprLocation(node)));
    }
    if (const auto* window = TryAs<WindowFunc>(node)) {
      throw SqlError(ErrorCode::kGroupingError,
                     "aggregate function calls cannot contain window function calls")
          .WithPosition(state_.Position(window->location));
    }
  }

  BindState& state_;
  ArgumentLevels levels_;
  int sublevels_ = 0;
};

SqlError Nested(BindState& state, const Node* inner) {
  SqlError error(ErrorCode::kGroupingError, "aggregate function calls cannot be nested");
  error.WithPosition(state.Position(AggregateLocation(inner)));
  return error;
}

// The query level, counted outward, that an aggregate with these arguments belongs to.
int LevelOfAggregate(BindState& state, const ExprList& direct, const std::vector<const Node*>& arguments) {
  ArgumentWalker walker(state);
  for (const Node* argument : arguments) walker.Walk(argument);
  int level = walker.levels().Level();
  if (level == walker.levels().aggregate) throw Nested(state, walker.levels().lowest_aggregate);
  if (direct.empty()) return level;
  ArgumentWalker direct_walker(state);
  for (const Expr* argument : direct) direct_walker.Walk(argument);
  const ArgumentLevels& levels = direct_walker.levels();
  if (levels.var >= 0 && levels.var < level) {
    throw SqlError(ErrorCode::kGroupingError,
                   "outer-level aggregate cannot contain a lower-level variable in its direct arguments")
        .WithPosition(state.Position(ExprLocation(direct[0])));
  }
  if (levels.aggregate >= 0 && levels.aggregate <= level) throw Nested(state, levels.lowest_aggregate);
  return level;
}

// Aggregates may not stand in these clauses of the query they belong to.
void CheckPlacement(BindState& level, BindState& state, bool is_aggregate, Location location) {
  const char* what = is_aggregate ? "aggregate functions" : "grouping operations";
  int position = state.Position(location);
  switch (level.expr_kind) {
    case ExprKind::kOther:
    case ExprKind::kHaving:
    case ExprKind::kWindowPartition:
    case ExprKind::kWindowOrder:
    case ExprKind::kSelectTarget:
    case ExprKind::kOrderBy:
    case ExprKind::kDistinctOn: return;
    case ExprKind::kFromSubselect:
      throw SqlError(ErrorCode::kGroupingError, "{} are not allowed in FROM clause of their own query level",
                     what)
          .WithPosition(position);
    case ExprKind::kWindowFrameRange:
    case ExprKind::kWindowFrameRows:
    case ExprKind::kWindowFrameGroups:
      throw SqlError(ErrorCode::kGroupingError, "{} are not allowed in {}", what,
                     ExprKindName(level.expr_kind))
          .WithPosition(position);
    default:
      throw SqlError(ErrorCode::kGroupingError, "{} are not allowed in {}", what,
                     ExprKindPhrase(level.expr_kind))
          .WithPosition(position);
  }
}

Location FirstWindowCall(const Node* node) {
  if (const auto* window = TryAs<WindowFunc>(node)) return window->location;
  Location found;
  if (Is<Query>(node)) return found;
  AnyChild(node, [&](const Node* child) {
    found = FirstWindowCall(child);
    return found.IsKnown();
  });
  return found;
}

BindState& LevelUp(BindState& state, int levels) {
  BindState* level = &state;
  while (levels-- > 0) level = level->parent;
  return *level;
}

bool SameList(const ast::NodeList& a, const ast::NodeList& b) {
  if (a.size() != b.size()) return false;
  for (uint32_t i = 0; i < a.size(); ++i) {
    if (!ast::EqualNodes(a[i], b[i])) return false;
  }
  return true;
}

bool SameWindow(const ast::WindowDef& a, const ast::WindowDef& b) {
  bool same_reference =
      IsAbsent(a.refname) ? IsAbsent(b.refname) : !IsAbsent(b.refname) && a.refname == b.refname;
  return same_reference && SameList(a.partition_clause, b.partition_clause) &&
         SameList(a.order_clause, b.order_clause) && a.frame_options == b.frame_options &&
         ast::EqualNodes(a.start_offset, b.start_offset) && ast::EqualNodes(a.end_offset, b.end_offset);
}

}  // namespace

void FinishAggregate(BindState& state, Aggref* aggregate, const ExprList& arguments,
                     const ast::NodeList& order, bool distinct) {
  Arena& arena = state.arena();
  for (const Expr* argument : arguments) aggregate->aggargtypes.Append(arena, ExprType(argument));
  AttrNumber number = 1;
  if (aggregate->aggkind != 'n') {
    uint32_t direct = arguments.size() - order.size();
    for (uint32_t i = 0; i < direct; ++i) aggregate->aggdirectargs.Append(arena, arguments[i]);
    for (uint32_t i = direct; i < arguments.size(); ++i) {
      TargetEntry* target = MakeTargetEntry(arena, arguments[i], number++, {}, false);
      aggregate->args.Append(arena, target);
      AddToSortList(state, target, &aggregate->aggorder, &aggregate->args,
                    *ast::As<ast::SortBy>(order[i - direct]));
    }
  } else {
    for (Expr* argument : arguments) {
      aggregate->args.Append(arena, MakeTargetEntry(arena, argument, number++, {}, false));
    }
    AttrNumber saved_resno = state.next_resno;
    state.next_resno = number;
    aggregate->aggorder = BindSort(state, order, &aggregate->args, ExprKind::kOrderBy, true);
    if (distinct) {
      aggregate->aggdistinct = BindDistinct(state, &aggregate->args, aggregate->aggorder, true);
      for (const SortGroupClause* clause : aggregate->aggdistinct) {
        if (IsValid(clause->sortop)) continue;
        const Expr* expr = SortGroupTarget(*clause, aggregate->args)->expr;
        throw SqlError(ErrorCode::kUndefinedFunction, "could not identify an ordering operator for type {}",
                       state.types().Format(ExprType(expr)))
            .WithDetail("Aggregates with DISTINCT must be able to sort their inputs.")
            .WithPosition(state.Position(ExprLocation(expr)));
      }
    }
    state.next_resno = saved_resno;
  }
  std::vector<const Node*> walked(aggregate->args.begin(), aggregate->args.end());
  if (aggregate->aggfilter != nullptr) walked.push_back(aggregate->aggfilter);
  int level = LevelOfAggregate(state, aggregate->aggdirectargs, walked);
  aggregate->agglevelsup = static_cast<uint32_t>(level);
  BindState& owner = LevelUp(state, level);
  owner.has_aggs = true;
  CheckPlacement(owner, state, true, aggregate->location);
}

void FinishGroupingFunction(BindState& state, GroupingFunc* grouping) {
  std::vector<const Node*> walked(grouping->args.begin(), grouping->args.end());
  int level = LevelOfAggregate(state, {}, walked);
  grouping->agglevelsup = static_cast<uint32_t>(level);
  BindState& owner = LevelUp(state, level);
  owner.has_aggs = true;
  CheckPlacement(owner, state, false, grouping->location);
}

void FinishWindowFunction(BindState& state, WindowFunc* call, const ast::WindowDef& over) {
  int position = state.Position(call->location);
  if (state.has_window_funcs) {
    for (const Expr* argument : call->args) {
      if (!ContainsWindowFunc(argument)) continue;
      throw SqlError(ErrorCode::kWindowingError, "window function calls cannot be nested")
          .WithPosition(state.Position(FirstWindowCall(argument)));
    }
  }
  switch (state.expr_kind) {
    case ExprKind::kOther:
    case ExprKind::kSelectTarget:
    case ExprKind::kOrderBy:
    case ExprKind::kDistinctOn: break;
    default:
      throw SqlError(ErrorCode::kWindowingError, "window functions are not allowed in {}",
                     ExprKindPhrase(state.expr_kind))
          .WithPosition(position);
  }
  state.has_window_funcs = true;
  std::vector<const ast::WindowDef*>& windows = state.windows;
  // OVER name.
  if (!IsAbsent(over.name)) {
    for (size_t i = 0; i < windows.size(); ++i) {
      if (IsAbsent(windows[i]->name) || windows[i]->name != over.name) continue;
      call->winref = static_cast<uint32_t>(i + 1);
      return;
    }
    throw SqlError(ErrorCode::kUndefinedObject, "window \"{}\" does not exist", over.name)
        .WithPosition(state.Position(over.location));
  }
  for (size_t i = 0; i < windows.size(); ++i) {
    // A named window is only shared by name; anonymous ones with the same text are one.
    if (!IsAbsent(windows[i]->name) || !SameWindow(*windows[i], over)) continue;
    call->winref = static_cast<uint32_t>(i + 1);
    return;
  }
  windows.push_back(&over);
  call->winref = static_cast<uint32_t>(windows.size());
}

}  // namespace walden
