#include "node/sql/executor/hashed_subplan.h"

#include "node/config/settings.h"
#include "node/sql/executor/executor.h"

namespace walden {
namespace {

std::vector<const TypeDescriptor*> Descriptors(std::span<const Oid> types) {
  std::vector<const TypeDescriptor*> found;
  for (Oid type : types) found.push_back(&TypeOf(type));
  return found;
}

bool HasNull(std::span<Vector* const> keys, uint32_t row) {
  for (const Vector* key : keys) {
    if (key->IsNull(row)) return true;
  }
  return false;
}

Value Truth(bool truth) {
  Value value;
  value.is_null = false;
  value.datum.b = truth;
  return value;
}

}  // namespace

HashedSubplan::HashedSubplan(Executor& executor, int32_t plan_id, std::span<const Oid> types)
    : executor_(executor),
      plan_id_(plan_id),
      types_(Descriptors(types)),
      table_(types_, {}, &executor.account()),
      hashes_(kBatchRows),
      groups_(kBatchRows) {}

uint64_t HashedSubplan::ParamVersion() const {
  uint64_t sum = 0;
  for (int32_t id : executor_.plan().subplans[plan_id_ - 1]->plan->params)
    sum += executor_.params().exec[id].version;
  return sum;
}

void HashedSubplan::Build(EvalContext& context) {
  table_.Clear();
  null_rows_.clear();
  overflow_.reset();
  size_t limit = static_cast<size_t>(GetInt(Setting::kWorkMem)) * 1024;
  CallSite site;
  CallContext call{table_.arena(), *context.format, context.session, site};
  Batch batch;
  std::vector<uint16_t> rest;
  executor_.Start(plan_id_);
  while (executor_.Next(plan_id_, &batch)) {
    std::span<Vector* const> columns(batch.columns.data(), types_.size());
    HashKeys(types_, columns, batch.selection, hashes_.data());
    table_.FindGroups(columns, batch.selection, hashes_.data(), overflow_ == nullptr, call, groups_.data());
    if (overflow_ != nullptr) {
      rest.clear();
      batch.selection.ForEach([&](uint32_t row) {
        if (groups_[row] == nullptr) rest.push_back(static_cast<uint16_t>(row));
      });
      if (!rest.empty())
        overflow_->Append(columns, Selection{rest.data(), static_cast<uint32_t>(rest.size())});
    } else if (table_.bytes() > limit) {
      std::vector<PhysicalType> physical;
      for (const TypeDescriptor* type : types_) physical.push_back(type->physical);
      overflow_ = std::make_unique<RowStore>(std::move(physical), &executor_.account(), 0);
    }
  }
  for (size_t i = 0; i < table_.size(); ++i) {
    bool has_null = false;
    for (size_t column = 0; column < types_.size(); ++column)
      has_null |= table_.layout().IsNull(table_.group(i), column);
    if (has_null) null_rows_.push_back(table_.group(i));
  }
  built_ = true;
  version_ = ParamVersion();
}

bool HashedSubplan::MayEqual(std::span<Vector* const> keys, uint32_t row, const char* group) const {
  for (size_t i = 0; i < types_.size(); ++i) {
    if (keys[i]->IsNull(row) || table_.layout().IsNull(group, i)) continue;
    if (types_[i]->compare(keys[i]->Get(row).datum, table_.layout().Get(group, i).datum, nullptr) != 0)
      return false;
  }
  return true;
}

// True at an equal row; null when only rows that nulls leave open were met.
Value HashedSubplan::SearchOverflow(std::span<Vector* const> keys, uint32_t row) {
  std::vector<std::unique_ptr<Vector>> columns;
  std::vector<Vector*> pointers;
  for (const TypeDescriptor* type : types_) {
    columns.push_back(std::make_unique<Vector>(type->physical));
    pointers.push_back(columns.back().get());
  }
  RowStore::Reader reader(overflow_.get());
  bool open = false;
  while (uint32_t rows = reader.Read(pointers, kBatchRows)) {
    for (uint32_t at = 0; at < rows; ++at) {
      bool differs = false, unknown = false;
      for (size_t i = 0; i < types_.size() && !differs; ++i) {
        if (keys[i]->IsNull(row) || pointers[i]->IsNull(at)) {
          unknown = true;
        } else {
          differs = types_[i]->compare(keys[i]->Get(row).datum, pointers[i]->Get(at).datum, nullptr) != 0;
        }
      }
      if (differs) continue;
      if (!unknown) return Truth(true);
      open = true;
    }
  }
  return open ? Value{} : Truth(false);
}

Value HashedSubplan::MatchOne(std::span<Vector* const> keys, uint32_t row, bool found) {
  if (table_.size() == 0) return Truth(false);
  bool has_null = HasNull(keys, row);
  if (found && !has_null) return Truth(true);
  Value rest = overflow_ == nullptr ? Truth(false) : SearchOverflow(keys, row);
  if (!rest.is_null && rest.datum.b) return rest;
  bool open = rest.is_null;
  if (has_null) {
    for (size_t i = 0; i < table_.size() && !open; ++i) open = MayEqual(keys, row, table_.group(i));
  } else {
    for (size_t i = 0; i < null_rows_.size() && !open; ++i) open = MayEqual(keys, row, null_rows_[i]);
  }
  return open ? Value{} : Truth(false);
}

void HashedSubplan::Match(std::span<Vector* const> keys, EvalContext& context, const Selection& selection,
                          Vector* result) {
  if (!built_ || version_ != ParamVersion()) Build(context);
  CallSite site;
  CallContext call{table_.arena(), *context.format, context.session, site};
  HashKeys(types_, keys, selection, hashes_.data());
  table_.FindGroups(keys, selection, hashes_.data(), /*may_grow=*/false, call, groups_.data());
  selection.ForEach([&](uint32_t row) { result->Set(row, MatchOne(keys, row, groups_[row] != nullptr)); });
}

}  // namespace walden
