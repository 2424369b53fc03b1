#include "node/sql/binder/functions.h"

#include <algorithm>

#include "node/sql/binder/aggregates.h"
#include "node/sql/binder/coercion.h"
#include "node/sql/binder/expressions.h"
#include "node/sql/binder/function_result.h"
#include "node/sql/binder/operators.h"
#include "node/sql/binder/range_table.h"
#include "node/sql/binder/type_names.h"

namespace walden {
namespace {

using type_oid::kUnknown;
constexpr size_t kMaxArguments = 100;

enum class CallKind : uint8_t {
  kNotFound,
  kAmbiguous,
  kFunction,
  kAggregate,
  kWindow,
  kProcedure,
  kCoercion
};

// What a call resolved to.
struct Resolved {
  CallKind kind = CallKind::kNotFound;
  const FunctionInfo* function = nullptr;
  CallCandidate candidate;
  Oid cast_type{};
};

// One call while it is being bound.
struct Call {
  BindState& state;
  const CallRequest& request;
  std::string name;  // as written
  std::vector<Oid> actual;
  std::vector<std::string_view> argument_names;
  ExprList arguments;
  bool variadic = false;

  const ast::FuncCall* syntax() const { return request.call; }
  int position() const { return state.Position(request.location); }
  std::string Signature() const { return CallSignature(state, name, argument_names, actual); }
  SqlError WrongObject(std::string message) const {
    SqlError error(ErrorCode::kWrongObjectType, std::move(message));
    error.WithPosition(position());
    return error;
  }
};

void CollectArguments(Call* call) {
  BindState& state = call->state;
  call->arguments = call->request.arguments.Clone(state.arena());
  if (call->arguments.size() > kMaxArguments) {
    throw SqlError(ErrorCode::kTooManyArguments, "cannot pass more than {} arguments to a function",
                   kMaxArguments)
        .WithPosition(call->position());
  }
  for (Expr* argument : call->arguments) {
    if (auto* named = TryAs<NamedArgExpr>(argument)) {
      if (std::ranges::find(call->argument_names, named->name) != call->argument_names.end()) {
        throw SqlError(ErrorCode::kSyntaxError, "argument name \"{}\" used more than once", named->name)
            .WithPosition(state.Position(named->location));
      }
      call->argument_names.push_back(named->name);
      call->actual.push_back(ExprType(named->arg));
      continue;
    }
    if (!call->argument_names.empty()) {
      throw SqlError(ErrorCode::kSyntaxError, "positional argument cannot follow named argument")
          .WithPosition(state.Position(ExprLocation(argument)));
    }
    call->actual.push_back(ExprType(argument));
  }
}

// f(x) where f is a type that x can be cast to.
bool IsCastNotation(const Call& call, Oid* target) {
  if (call.actual.size() != 1 || !call.argument_names.empty()) return false;
  const TypeRules& types = call.state.types();
  ast::TypeName type_name;
  type_name.names = *call.request.names;
  *target = FindTypeName(type_name, types);
  if (!IsValid(*target)) return false;
  const TypeInfo& type = types.Get(*target);
  if (!type.defined || IsValid(type.relation)) return false;
  Oid source = call.actual[0];
  if (source == kUnknown) return true;
  Oid function;
  switch (types.FindPath(*target, source, CoercionContext::kExplicit, &function)) {
    case CoercionPath::kRelabel: return true;
    case CoercionPath::kViaIo:
      return !((source == type_oid::kRecord || IsValid(types.RowRelation(source))) && type.category == 'S');
    default: return false;
  }
}

CallKind KindOf(const FunctionInfo& function) {
  switch (function.kind) {
    case 'a': return CallKind::kAggregate;
    case 'w': return CallKind::kWindow;
    case 'p': return CallKind::kProcedure;
    default: return CallKind::kFunction;
  }
}

Resolved Resolve(const Call& call) {
  const Overloads& overloads = call.state.context.overloads;
  CandidateQuery query;
  query.name = SplitName(*call.request.names, call.state.catalog());
  query.argument_count = call.actual.size();
  query.argument_names = call.argument_names;
  query.expand_variadic = !call.variadic;
  std::vector<CallCandidate> candidates;
  try {
    candidates = overloads.FunctionCandidates(query);
  } catch (SqlError& error) {
    if (call.syntax() != nullptr) error.WithPosition(call.position());
    throw;
  }
  Resolved resolved;
  const CallCandidate* best = nullptr;
  for (const CallCandidate& candidate : candidates) {
    if (std::equal(call.actual.begin(), call.actual.end(), candidate.arguments.begin())) {
      best = &candidate;
      break;
    }
  }
  if (best == nullptr) {
    if (call.syntax() != nullptr && IsCastNotation(call, &resolved.cast_type)) {
      resolved.kind = CallKind::kCoercion;
      return resolved;
    }
    overloads.KeepCoercible(call.actual, &candidates);
    if (candidates.empty()) return resolved;
    best = candidates.size() == 1 ? &candidates.front() : overloads.Choose(call.actual, &candidates);
  }
  if (best == nullptr || best->function == nullptr) {
    resolved.kind = CallKind::kAmbiguous;
    return resolved;
  }
  resolved.candidate = *best;
  resolved.function = best->function;
  resolved.kind = KindOf(*best->function);
  return resolved;
}

[[noreturn]] void ThrowNotFound(const Call& call) {
  const char* what = call.request.is_procedure ? "procedure" : "function";
  SqlError error(ErrorCode::kUndefinedFunction, "{} {} does not exist", what, call.Signature());
  error.WithPosition(call.position());
  const ast::FuncCall* syntax = call.syntax();
  if (syntax->agg_order.size() > 1 && !syntax->agg_within_group) {
    throw error.WithHint(
        "No aggregate function matches the given name and argument types. Perhaps you misplaced "
        "ORDER BY; ORDER BY must appear after all regular arguments of the aggregate.");
  }
  throw error.WithHint(fmt::format(
      "No {} matches the given name and argument types. You might need to add explicit type casts.", what));
}

[[noreturn]] void ThrowAmbiguous(const Call& call) {
  const char* what = call.request.is_procedure ? "procedure" : "function";
  throw SqlError(ErrorCode::kAmbiguousFunction, "{} {} is not unique", what, call.Signature())
      .WithHint(fmt::format(
          "Could not choose a best candidate {}. You might need to add explicit type casts.", what))
      .WithPosition(call.position());
}

// Aggregate syntax on what is no aggregate.
void CheckPlainCall(const Call& call) {
  const ast::FuncCall* syntax = call.syntax();
  if (syntax == nullptr) return;
  const std::string& name = call.name;
  if (syntax->agg_star) {
    throw call.WrongObject(fmt::format("{}(*) specified, but {} is not an aggregate function", name, name));
  }
  const char* clause = syntax->agg_distinct            ? "DISTINCT"
                       : syntax->agg_within_group      ? "WITHIN GROUP"
                       : !syntax->agg_order.empty()    ? "ORDER BY"
                       : syntax->agg_filter != nullptr ? "FILTER"
                                                       : nullptr;
  if (clause != nullptr) {
    throw call.WrongObject(fmt::format("{} specified, but {} is not an aggregate function", clause, name));
  }
  if (syntax->over != nullptr) {
    throw call.WrongObject(
        fmt::format("OVER specified, but {} is not a window function nor an aggregate function", name));
  }
}

SqlError WrongDirectCount(const Call& call, std::string hint) {
  SqlError error(ErrorCode::kUndefinedFunction, "function {} does not exist", call.Signature());
  error.WithHint(std::move(hint)).WithPosition(call.position());
  return error;
}

std::string Arguments(int count) { return fmt::format("{} direct argument{}", count, count == 1 ? "" : "s"); }

void CheckOrderedSetCall(const Call& call, const Resolved& resolved, const AggregateInfo& aggregate) {
  const ast::FuncCall& syntax = *call.syntax();
  if (!syntax.agg_within_group) {
    throw call.WrongObject(fmt::format("WITHIN GROUP is required for ordered-set aggregate {}", call.name));
  }
  if (syntax.over != nullptr) {
    throw SqlError(ErrorCode::kFeatureNotSupported, "OVER is not supported for ordered-set aggregate {}",
                   call.name)
        .WithPosition(call.position());
  }
  int aggregated = static_cast<int>(syntax.agg_order.size());
  int direct = static_cast<int>(call.actual.size()) - aggregated;
  int declared = static_cast<int>(resolved.function->arguments.size());
  if (!IsValid(resolved.function->variadic)) {
    if (direct != aggregate.direct_arguments) {
      throw WrongDirectCount(
          call, fmt::format("There is an ordered-set aggregate {}, but it requires {}, not {}.", call.name,
                            Arguments(aggregate.direct_arguments), direct));
    }
    return;
  }
  int variadic = resolved.candidate.variadic_count;
  if (aggregate.direct_arguments < declared) {
    if (direct != aggregate.direct_arguments) {
      throw WrongDirectCount(
          call, fmt::format("There is an ordered-set aggregate {}, but it requires {}, not {}.", call.name,
                            Arguments(aggregate.direct_arguments), direct));
    }
  } else if (aggregate.kind == 'h') {
    if (variadic != 2 * aggregated) {
      throw WrongDirectCount(
          call,
          fmt::format("To use the hypothetical-set aggregate {}, the number of hypothetical direct arguments "
                      "(here {}) must match the number of ordering columns (here {}).",
                      call.name, variadic - aggregated, aggregated));
    }
  } else if (variadic <= aggregated) {
    throw WrongDirectCount(
        call, fmt::format("There is an ordered-set aggregate {}, but it requires at least {}.", call.name,
                          Arguments(aggregate.direct_arguments)));
  }
}

// Hypothetical-set aggregates: each hypothetical argument gets the type of its ordering column.
void UnifyHypothetical(Call* call, int aggregated, std::vector<Oid>* declared) {
  BindState& state = call->state;
  size_t count = call->actual.size();
  size_t first = count - 2 * static_cast<size_t>(aggregated);
  for (size_t i = first; i < first + static_cast<size_t>(aggregated); ++i) {
    size_t sorted = i + static_cast<size_t>(aggregated);
    if ((*declared)[i] != type_oid::kAny) continue;
    ExprList pair(state.arena(), {call->arguments[static_cast<uint32_t>(sorted)],
                                  call->arguments[static_cast<uint32_t>(i)]});
    Oid type = CommonTypeOf(state, pair, "WITHIN GROUP");
    int32_t typmod = CommonTypmodOf(pair, type);
    for (size_t at : {i, sorted}) {
      Expr*& argument = call->arguments[static_cast<uint32_t>(at)];
      CoercionRequest to{type, typmod};
      argument = CoerceType(state, argument, call->actual[at], to);
      argument = CoerceTypmod(state, argument, to, false);
      call->actual[at] = type;
    }
  }
}

// The arguments that the VARIADIC parameter collects become one array.
void PackVariadic(Call* call, int count) {
  BindState& state = call->state;
  uint32_t plain = call->arguments.size() - static_cast<uint32_t>(count);
  auto* array = state.New<ArrayExpr>();
  for (uint32_t i = plain; i < call->arguments.size(); ++i)
    array->elements.Append(state.arena(), call->arguments[i]);
  array->element_typeid = ExprType(array->elements[0]);
  array->array_typeid = state.types().ArrayOf(array->element_typeid);
  if (!IsValid(array->array_typeid)) {
    throw SqlError(ErrorCode::kUndefinedObject, "could not find array type for data type {}",
                   state.types().Format(array->element_typeid))
        .WithPosition(state.Position(ExprLocation(array->elements[0])));
  }
  array->location = ExprLocation(array->elements[0]);
  call->arguments.Resize(state.arena(), plain);
  call->arguments.Append(state.arena(), array);
  call->variadic = true;
}

// An "any" argument list that takes VARIADIC must be given an array.
void CheckVariadicAny(const Call& call) {
  Expr* last = call.arguments.back();
  Oid type = ExprType(last);
  if (type != kUnknown && IsValid(call.state.types().ArrayElement(call.state.types().BaseType(type)))) return;
  throw SqlError(ErrorCode::kDatatypeMismatch, "VARIADIC argument must be an array")
      .WithPosition(call.state.Position(ExprLocation(last)));
}

void RequireStar(const Call& call) {
  const ast::FuncCall& syntax = *call.syntax();
  if (call.arguments.empty() && !syntax.agg_star && !syntax.agg_within_group) {
    throw call.WrongObject(
        fmt::format("{}(*) must be used to call a parameterless aggregate function", call.name));
  }
}

SqlError NotImplemented(const Call& call, const char* message) {
  SqlError error(ErrorCode::kFeatureNotSupported, std::string(message));
  error.WithPosition(call.position());
  return error;
}

Expr* BuildAggregate(Call* call, const Resolved& resolved, Oid result, Expr* filter) {
  BindState& state = call->state;
  const ast::FuncCall& syntax = *call->syntax();
  const AggregateInfo* info = state.catalog().GetAggregate(resolved.function->oid);
  RequireStar(*call);
  if (resolved.function->returns_set) {
    throw SqlError(ErrorCode::kInvalidFunctionDefinition, "aggregates cannot return sets")
        .WithPosition(call->position());
  }
  if (!call->argument_names.empty()) throw NotImplemented(*call, "aggregates cannot use named arguments");
  auto* aggregate = state.New<Aggref>();
  aggregate->aggfnoid = resolved.function->oid;
  aggregate->aggtype = result;
  aggregate->aggfilter = filter;
  aggregate->aggstar = syntax.agg_star;
  aggregate->aggvariadic = call->variadic;
  aggregate->aggkind = info->kind;
  aggregate->location = call->request.location;
  FinishAggregate(state, aggregate, call->arguments, syntax.agg_order, syntax.agg_distinct);
  return aggregate;
}

Expr* BuildWindowFunction(Call* call, const Resolved& resolved, Oid result, Expr* filter) {
  BindState& state = call->state;
  const ast::FuncCall& syntax = *call->syntax();
  bool is_aggregate = resolved.kind == CallKind::kAggregate;
  if (syntax.agg_distinct) throw NotImplemented(*call, "DISTINCT is not implemented for window functions");
  if (is_aggregate) RequireStar(*call);
  if (!syntax.agg_order.empty()) {
    throw NotImplemented(*call, "aggregate ORDER BY is not implemented for window functions");
  }
  if (!is_aggregate && filter != nullptr) {
    throw NotImplemented(*call, "FILTER is not implemented for non-aggregate window functions");
  }
  if (state.last_srf != call->request.last_srf) {
    throw SqlError(ErrorCode::kFeatureNotSupported,
                   "window function calls cannot contain set-returning function calls")
        .WithHint("You might be able to move the set-returning function into a LATERAL FROM item.")
        .WithPosition(state.Position(ExprLocation(state.last_srf)));
  }
  if (resolved.function->returns_set) {
    throw SqlError(ErrorCode::kInvalidFunctionDefinition, "window functions cannot return sets")
        .WithPosition(call->position());
  }
  auto* function = state.New<WindowFunc>();
  function->winfnoid = resolved.function->oid;
  function->wintype = result;
  function->args = call->arguments;
  function->aggfilter = filter;
  function->winstar = syntax.agg_star;
  function->winagg = is_aggregate;
  function->location = call->request.location;
  FinishWindowFunction(state, function, *syntax.over);
  return function;
}

Expr* BuildPlainCall(Call* call, const Resolved& resolved, Oid result) {
  BindState& state = call->state;
  auto* expr = state.New<FuncExpr>();
  expr->funcid = resolved.function->oid;
  expr->funcresulttype = result;
  expr->funcretset = resolved.function->returns_set;
  expr->funcvariadic = call->variadic;
  expr->funcformat = call->syntax() == nullptr ? CoercionForm::kExplicitCall : call->syntax()->funcformat;
  expr->args = call->arguments;
  expr->location = call->request.location;
  if (expr->funcretset) {
    CheckSrfPlacement(state, call->request.last_srf, call->request.location);
    state.last_srf = expr;
  }
  return expr;
}

void CheckCallKind(const Call& call, const Resolved& resolved) {
  bool is_procedure = resolved.kind == CallKind::kProcedure;
  if (call.request.is_procedure && !is_procedure) {
    throw call.WrongObject(fmt::format("{} is not a procedure", call.Signature()))
        .WithHint("To call a function, use SELECT.");
  }
  if (!call.request.is_procedure && is_procedure) {
    throw call.WrongObject(fmt::format("{} is a procedure", call.Signature()))
        .WithHint("To call a procedure, use CALL.");
  }
  if (resolved.kind == CallKind::kFunction || is_procedure) {
    CheckPlainCall(call);
  } else if (resolved.kind == CallKind::kAggregate) {
    const AggregateInfo* aggregate = call.state.catalog().GetAggregate(resolved.function->oid);
    if (call.syntax() == nullptr) return;
    if (aggregate->kind != 'n') {
      CheckOrderedSetCall(call, resolved, *aggregate);
    } else if (call.syntax()->agg_within_group) {
      throw call.WrongObject(
          fmt::format("{} is not an ordered-set aggregate, so it cannot have WITHIN GROUP", call.name));
    }
  } else {
    if (call.syntax() == nullptr) return;
    if (call.syntax()->over == nullptr) {
      throw call.WrongObject(fmt::format("window function {} requires an OVER clause", call.name));
    }
    if (call.syntax()->agg_within_group) {
      throw call.WrongObject(fmt::format("window function {} cannot have WITHIN GROUP", call.name));
    }
  }
}

Expr* BuildResolved(Call* call, Resolved* resolved, Expr* filter) {
  BindState& state = call->state;
  CallCandidate& candidate = resolved->candidate;
  if (!call->argument_names.empty()) {
    for (uint32_t i = 0; i < call->arguments.size(); ++i) {
      if (auto* named = TryAs<NamedArgExpr>(call->arguments[i])) {
        named->argnumber = candidate.argument_positions[i];
      }
    }
  }
  std::vector<Oid> declared = candidate.arguments;
  const AggregateInfo* aggregate = resolved->kind == CallKind::kAggregate
                                       ? state.catalog().GetAggregate(resolved->function->oid)
                                       : nullptr;
  if (aggregate != nullptr && aggregate->kind == 'h' && call->syntax() != nullptr) {
    UnifyHypothetical(call, static_cast<int>(call->syntax()->agg_order.size()), &declared);
  }
  // Defaults take part in the resolution of polymorphic types with their own declared types.
  std::vector<Oid> actual = call->actual;
  actual.insert(actual.end(), declared.begin() + static_cast<ptrdiff_t>(actual.size()), declared.end());
  Oid result = state.types().ResolvePolymorphic(actual, declared, resolved->function->result, false);
  CoerceArguments(state, &call->arguments, actual, declared);
  Oid variadic_type = resolved->function->variadic;
  if (candidate.variadic_count > 0 && variadic_type != type_oid::kAny) {
    PackVariadic(call, candidate.variadic_count);
  }
  if (call->variadic && variadic_type == type_oid::kAny && !call->arguments.empty()) CheckVariadicAny(*call);
  if (resolved->kind == CallKind::kFunction || resolved->kind == CallKind::kProcedure ||
      call->syntax() == nullptr) {
    return BuildPlainCall(call, *resolved, result);
  }
  if (call->syntax()->over != nullptr) return BuildWindowFunction(call, *resolved, result, filter);
  return BuildAggregate(call, *resolved, result, filter);
}

bool MayBeProjection(const Call& call) {
  if (call.actual.size() != 1 || call.request.is_procedure || !call.argument_names.empty()) return false;
  if (call.request.names->size() != 1) return false;
  if (const ast::FuncCall* syntax = call.syntax()) {
    if (!syntax->agg_order.empty() || syntax->agg_filter != nullptr || syntax->agg_star ||
        syntax->agg_distinct || syntax->over != nullptr || syntax->func_variadic) {
      return false;
    }
  }
  return call.actual[0] == type_oid::kRecord || IsValid(call.state.types().RowRelation(call.actual[0]));
}

}  // namespace

std::string CallSignature(BindState& state, const std::string& name,
                          const std::vector<std::string_view>& names, std::span<const Oid> types) {
  std::string text = name + "(";
  size_t positional = types.size() - names.size();
  for (size_t i = 0; i < types.size(); ++i) {
    if (i > 0) text += ", ";
    if (i >= positional) text += std::string(names[i - positional]) + " => ";
    text += state.types().Format(types[i]);
  }
  return text + ")";
}

Expr* BindFieldSelection(BindState& state, std::string_view field, Expr* row, Location location) {
  // The row of a table in FROM: the column itself, rather than a selection from a whole row.
  if (auto* var = TryAs<Var>(row); var != nullptr && var->varattno == 0) {
    BindState* level = &state;
    for (uint32_t i = 0; i < var->varlevelsup; ++i) level = level->parent;
    for (NamespaceItem* item : level->names) {
      if (item->rtindex == var->varno && item->names == item->rte->eref) {
        return FindColumnOfItem(state, *item, var->varlevelsup, field, location);
      }
    }
    NamespaceItem* item = ItemForRte(state, level->Rte(var->varno), var->varno);
    return FindColumnOfItem(state, *item, var->varlevelsup, field, location);
  }
  ExprResult result = ResultOf(state.context, row);
  if (auto* var = TryAs<Var>(row); var != nullptr && result.shape == ResultShape::kRecord) {
    result.columns = RecordVarColumns(state, *var);
    if (!result.columns.empty()) result.shape = ResultShape::kComposite;
  }
  if (result.shape != ResultShape::kComposite) return nullptr;
  for (size_t i = 0; i < result.columns.size(); ++i) {
    const ColumnInfo& column = result.columns[i];
    if (column.dropped || column.name != field) continue;
    auto* select = state.New<FieldSelect>();
    select->arg = row;
    select->fieldnum = static_cast<AttrNumber>(i + 1);
    select->resulttype = column.type;
    select->resulttypmod = column.typmod;
    select->resultcollid = column.collation;
    return select;
  }
  return nullptr;
}

Expr* BindCallOrColumn(BindState& state, const CallRequest& request) {
  Call call{state, request, JoinNames(*request.names), {}, {}, {}, false};
  call.variadic = request.call != nullptr && request.call->func_variadic;
  CollectArguments(&call);
  Expr* filter = nullptr;
  if (request.call != nullptr && request.call->agg_filter != nullptr) {
    filter = BindWhere(state, request.call->agg_filter, ExprKind::kFilter, "FILTER");
  }
  bool may_project = MayBeProjection(call);
  if (may_project && request.call == nullptr) {
    Expr* field =
        BindFieldSelection(state, ast::StringOf((*request.names)[0]), call.arguments[0], request.location);
    if (field != nullptr) return field;
  }
  Resolved resolved = Resolve(call);
  switch (resolved.kind) {
    case CallKind::kNotFound:
      if (request.call == nullptr) return nullptr;
      if (may_project) {
        Expr* field = BindFieldSelection(state, ast::StringOf((*request.names)[0]), call.arguments[0],
                                         request.location);
        if (field != nullptr) return field;
      }
      ThrowNotFound(call);
    case CallKind::kAmbiguous:
      if (request.call == nullptr) return nullptr;
      ThrowAmbiguous(call);
    case CallKind::kCoercion:
      CheckPlainCall(call);
      return CoerceType(state, call.arguments[0], call.actual[0],
                        {resolved.cast_type, -1, CoercionContext::kExplicit, CoercionForm::kExplicitCall,
                         request.location});
    default: break;
  }
  if (request.call == nullptr && resolved.kind != CallKind::kFunction) return nullptr;
  CheckCallKind(call, resolved);
  return BuildResolved(&call, &resolved, filter);
}

}  // namespace walden
