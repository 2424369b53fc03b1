#include "node/sql/functions/registry.h"

#include <unordered_map>
#include <vector>

#include "node/sql/functions/function_table.h"
#include "node/sql/functions/scalar.h"

namespace walden {
namespace {

template <class T>
class NameMap {
 public:
  void Add(std::span<const T> table) {
    for (const T& entry : table) entries_.emplace(entry.name, &entry);
  }
  const T* Find(std::string_view name) const {
    auto found = entries_.find(name);
    return found == entries_.end() ? nullptr : found->second;
  }

 private:
  std::unordered_map<std::string_view, const T*> entries_;
};

NameMap<ScalarFunction>& Scalars() {
  static NameMap<ScalarFunction> map = [] {
    NameMap<ScalarFunction> result;
    for (auto table : BuiltinScalarTables()) result.Add(table);
    return result;
  }();
  return map;
}

NameMap<SetFunction>& Sets() {
  static NameMap<SetFunction> map = [] {
    NameMap<SetFunction> result;
    for (auto table : BuiltinSetTables()) result.Add(table);
    return result;
  }();
  return map;
}

struct Aggregates {
  std::unordered_map<uint32_t, const AggregateFunction*> by_oid;
  std::vector<const AggregateFunction*> all;
};
const Aggregates& AllAggregates() {
  static const Aggregates aggregates = [] {
    Aggregates result;
    for (auto table : BuiltinAggregateTables()) {
      for (const AggregateFunction& aggregate : table) {
        CHECK(result.by_oid.emplace(OidNumber(aggregate.oid), &aggregate).second);
        result.all.push_back(&aggregate);
      }
    }
    return result;
  }();
  return aggregates;
}

}  // namespace

const ScalarFunction* FindScalar(std::string_view prosrc) { return Scalars().Find(prosrc); }
const SetFunction* FindSetFunction(std::string_view prosrc) { return Sets().Find(prosrc); }
bool HasFunction(std::string_view prosrc) {
  return FindScalar(prosrc) != nullptr || FindSetFunction(prosrc) != nullptr;
}

const AggregateFunction* FindAggregate(Oid aggregate) {
  auto found = AllAggregates().by_oid.find(OidNumber(aggregate));
  return found == AllAggregates().by_oid.end() ? nullptr : found->second;
}
std::span<const AggregateFunction* const> BuiltinAggregates() { return AllAggregates().all; }

void AddScalarFunctions(std::span<const ScalarFunction> functions) { Scalars().Add(functions); }
void AddSetFunctions(std::span<const SetFunction> functions) { Sets().Add(functions); }

TupleId SessionHooks::CurrentCursorRow(std::string_view cursor, Oid) {
  throw SqlError(ErrorCode::kUndefinedCursor, "cursor \"{}\" does not exist", cursor);
}

Value CallScalar(const ScalarFunction& function, CallContext& context, std::span<const Value> args) {
  Value result;
  if (function.is_strict) {
    for (const Value& arg : args) {
      if (arg.is_null) return result;
    }
  }
  function.row(context, args, &result);
  return result;
}

namespace scalar_internal {

bool NoNulls(std::span<const Vector* const> args) {
  for (const Vector* arg : args) {
    if (arg->has_nulls()) return false;
  }
  return true;
}

void RunRows(RowFunction row, bool is_strict, bool is_volatile, CallContext& context,
             std::span<const Vector* const> args, const Selection& selection, Vector* result) {
  constexpr size_t kInlineArgs = 8;
  Value inline_values[kInlineArgs];
  std::vector<Value> many_values;
  Value* values = inline_values;
  if (args.size() > kInlineArgs) {
    many_values.resize(args.size());
    values = many_values.data();
  }
  result->SetAllValid();
  bool constant = !is_volatile;
  for (size_t i = 0; i < args.size(); ++i) {
    if (args[i]->is_constant())
      values[i] = args[i]->Get(0);
    else
      constant = false;
  }
  result->SetConstant(constant);
  if (selection.count == 0) return;
  uint32_t count = constant ? 1 : selection.count;
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t position = constant ? 0 : selection.Row(i);
    bool null_argument = false;
    for (size_t a = 0; a < args.size(); ++a) {
      if (!args[a]->is_constant()) values[a] = args[a]->Get(position);
      null_argument |= values[a].is_null;
    }
    if (is_strict && null_argument) {
      result->SetNull(position);
      continue;
    }
    Value value;
    row(context, {values, args.size()}, &value);
    if (value.is_null)
      result->SetNull(position);
    else
      StoreDatum(result->type(), result->raw_data(), position, value.datum);
  }
}

}  // namespace scalar_internal
}  // namespace walden
