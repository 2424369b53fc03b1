// WINDOW and OVER (...): window definitions and their frames.
#include <algorithm>

#include "node/sql/binder/clauses.h"
#include "node/sql/binder/coercion.h"
#include "node/sql/binder/expressions.h"
#include "node/sql/binder/operators.h"

namespace walden {
namespace {

constexpr int32_t kOffsets = frame_option::kStartOffsetPreceding | frame_option::kStartOffsetFollowing |
                             frame_option::kEndOffsetPreceding | frame_option::kEndOffsetFollowing;

SqlError WindowError(BindState& state, const ast::WindowDef& definition, std::string message) {
  SqlError error(ErrorCode::kWindowingError, std::move(message));
  error.WithPosition(state.Position(definition.location));
  return error;
}

const WindowClause* FindNamed(const List<WindowClause*>& windows, std::string_view name) {
  for (const WindowClause* window : windows) {
    if (!IsAbsent(window->name) && window->name == name) return window;
  }
  return nullptr;
}

// What a window that starts from another may not say itself.
void CopyFromReferenced(BindState& state, const ast::WindowDef& definition, const WindowClause& from,
                        const SortList& partition, const SortList& order, WindowClause* window) {
  if (!partition.empty()) {
    throw WindowError(
        state, definition,
        fmt::format("cannot override PARTITION BY clause of window \"{}\"", definition.refname));
  }
  window->partition_clause = from.partition_clause;
  if (!order.empty() && !from.order_clause.empty()) {
    throw WindowError(state, definition,
                      fmt::format("cannot override ORDER BY clause of window \"{}\"", definition.refname));
  }
  if (order.empty()) {
    window->order_clause = from.order_clause;
    window->copied_order = !from.order_clause.empty();
  }
  if (from.frame_options != frame_option::kDefaults) {
    SqlError error = WindowError(
        state, definition,
        fmt::format("cannot copy window \"{}\" because it has a frame clause", definition.refname));
    if (IsAbsent(definition.name) && order.empty() && definition.frame_options == frame_option::kDefaults) {
      error.WithHint("Omit the parentheses in this OVER clause.");
    }
    throw error;
  }
}

Expr* CheckVarFree(BindState& state, Expr* expr, const char* construct) {
  if (ContainsVarOfLevel(expr, 0)) {
    throw SqlError(ErrorCode::kInvalidColumnReference, "argument of {} must not contain variables", construct)
        .WithPosition(state.Position(ExprLocation(expr)));
  }
  return expr;
}

// The ordering that RANGE offsets are added to.
struct RangeOrder {
  Oid family{};
  Oid input_type{};
  Oid column_type{};
};

Expr* BindRangeOffset(BindState& state, const ast::Node* node, const RangeOrder& order, Oid* function) {
  Expr* expr = BindExpr(state, node, ExprKind::kWindowFrameRange);
  Oid type = ExprType(expr);
  bool unknown = type == type_oid::kUnknown;
  std::vector<InRangeSupport> supports = state.catalog().InRangeSupports(order.family, order.input_type);
  int position = state.Position(ExprLocation(expr));
  if (supports.empty()) {
    throw SqlError(ErrorCode::kFeatureNotSupported,
                   "RANGE with offset PRECEDING/FOLLOWING is not supported for column type {}",
                   state.types().Format(order.column_type))
        .WithPosition(position);
  }
  // An exact match wins, for a literal the column's own type; else there must be a single candidate.
  const InRangeSupport* chosen = nullptr;
  size_t matches = 0;
  for (const InRangeSupport& support : supports) {
    if (!unknown && !state.types().CanCoerce({{type}}, {{support.offset_type}}, CoercionContext::kImplicit))
      continue;
    ++matches;
    if (support.offset_type == (unknown ? order.input_type : type)) {
      chosen = &support;
      matches = 1;
      break;
    }
    chosen = &support;
  }
  if (matches != 1) {
    throw SqlError(
        ErrorCode::kFeatureNotSupported,
        fmt::format(
            fmt::runtime(matches == 0 ? "RANGE with offset PRECEDING/FOLLOWING is not supported for column "
                                        "type {} and offset type {}"
                                      : "RANGE with offset PRECEDING/FOLLOWING has multiple "
                                        "interpretations for column type {} and offset type {}"),
            state.types().Format(order.column_type), state.types().Format(type)))
        .WithHint(matches == 0 ? "Cast the offset value to an appropriate type."
                               : "Cast the offset value to the exact intended type.")
        .WithPosition(position);
  }
  *function = chosen->function;
  return CheckVarFree(state, CoerceToSpecific(state, expr, chosen->offset_type, -1, "RANGE"), "RANGE");
}

Expr* BindOffset(BindState& state, int32_t frame, const ast::Node* node, const RangeOrder& order,
                 Oid* function) {
  *function = Oid{};
  if (node == nullptr) return nullptr;
  if ((frame & frame_option::kRange) != 0) return BindRangeOffset(state, node, order, function);
  bool rows = (frame & frame_option::kRows) != 0;
  const char* construct = rows ? "ROWS" : "GROUPS";
  Expr* expr = BindExpr(state, node, rows ? ExprKind::kWindowFrameRows : ExprKind::kWindowFrameGroups);
  return CheckVarFree(state, CoerceToSpecific(state, expr, type_oid::kInt8, -1, construct), construct);
}

RangeOrder OrderOfRange(BindState& state, const ast::WindowDef& definition, const TargetList& targets,
                        WindowClause* window) {
  if (window->order_clause.size() != 1) {
    throw WindowError(state, definition,
                      "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column");
  }
  const SortGroupClause& sort = *window->order_clause[0];
  const TargetEntry* target = SortGroupTarget(sort, targets);
  RangeOrder order;
  order.column_type = ExprType(target->expr);
  for (const BtreeInterpretation& meaning : state.catalog().BtreeInterpretations(sort.sortop)) {
    if (meaning.strategy != 1 && meaning.strategy != 5) continue;
    order.family = meaning.family;
    order.input_type = meaning.left;
    window->in_range_asc = meaning.strategy == 1;
    break;
  }
  window->in_range_coll = ExprCollation(target->expr);
  window->in_range_nulls_first = sort.nulls_first;
  return order;
}

}  // namespace

List<WindowClause*> BindWindows(BindState& state, TargetList* targets) {
  List<WindowClause*> windows;
  for (size_t i = 0; i < state.windows.size(); ++i) {
    const ast::WindowDef& definition = *state.windows[i];
    if (!IsAbsent(definition.name) && FindNamed(windows, definition.name) != nullptr) {
      throw WindowError(state, definition, fmt::format("window \"{}\" is already defined", definition.name));
    }
    const WindowClause* referenced = nullptr;
    if (!IsAbsent(definition.refname)) {
      referenced = FindNamed(windows, definition.refname);
      if (referenced == nullptr) {
        throw SqlError(ErrorCode::kUndefinedObject, "window \"{}\" does not exist", definition.refname)
            .WithPosition(state.Position(definition.location));
      }
    }
    SortList order = BindSort(state, definition.order_clause, targets, ExprKind::kWindowOrder, true);
    SortList partition = BindGroup(state, definition.partition_clause, nullptr, targets, order,
                                   ExprKind::kWindowPartition, true);
    auto* window = state.New<WindowClause>();
    window->name = definition.name;
    window->refname = definition.refname;
    window->partition_clause = partition;
    window->order_clause = order;
    if (referenced != nullptr) CopyFromReferenced(state, definition, *referenced, partition, order, window);
    window->frame_options = definition.frame_options;
    RangeOrder range;
    if ((window->frame_options & frame_option::kRange) != 0 && (window->frame_options & kOffsets) != 0) {
      range = OrderOfRange(state, definition, *targets, window);
    }
    if ((window->frame_options & frame_option::kGroups) != 0 && window->order_clause.empty()) {
      throw WindowError(state, definition, "GROUPS mode requires an ORDER BY clause");
    }
    window->start_offset = BindOffset(state, window->frame_options, definition.start_offset, range,
                                      &window->start_in_range_func);
    window->end_offset =
        BindOffset(state, window->frame_options, definition.end_offset, range, &window->end_in_range_func);
    window->winref = static_cast<uint32_t>(i + 1);
    windows.Append(state.arena(), window);
  }
  return windows;
}

}  // namespace walden
