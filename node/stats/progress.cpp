#include "node/stats/progress.h"

#include <atomic>

#include "node/config/settings.h"
#include "node/shm/process.h"

namespace walden {

// Guarded by: nothing; the command is stored last at the beginning and first cleared at the end.
struct alignas(64) ProgressEntry {
  std::atomic<ProgressCommand> command;
  std::atomic<Oid> relation;
  std::atomic<int64_t> parameters[kProgressParameters];
};

namespace {

ProgressEntry* EntryOf(int slot) {
  ProgressEntry* entries = ShmArea<ProgressEntry>(Area::kProgress);
  return entries == nullptr || slot < 0 ? nullptr : &entries[slot];
}

}  // namespace

ProgressReport::ProgressReport(ProgressCommand command, Oid relation) : entry_(EntryOf(self_slot())) {
  if (entry_ == nullptr) return;
  if (!GetBool(Setting::kTrackActivities) ||
      entry_->command.load(std::memory_order_relaxed) != ProgressCommand::kNone) {
    entry_ = nullptr;
    return;
  }
  for (auto& parameter : entry_->parameters) parameter.store(0, std::memory_order_relaxed);
  entry_->relation.store(relation, std::memory_order_relaxed);
  entry_->command.store(command, std::memory_order_release);
}

ProgressReport::~ProgressReport() {
  if (entry_ != nullptr) entry_->command.store(ProgressCommand::kNone, std::memory_order_release);
}

void ProgressReport::Set(size_t parameter, int64_t value) {
  if (entry_ != nullptr) entry_->parameters[parameter].store(value, std::memory_order_relaxed);
}

void ProgressReport::Add(size_t parameter, int64_t amount) {
  if (entry_ == nullptr) return;
  std::atomic<int64_t>& value = entry_->parameters[parameter];
  value.store(value.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}

bool ReadProgress(int slot, ProgressRow* row) {
  ProgressEntry* entry = EntryOf(slot);
  if (entry == nullptr || SlotAt(slot).pid.load(std::memory_order_relaxed) == 0) return false;
  row->command = entry->command.load(std::memory_order_acquire);
  if (row->command == ProgressCommand::kNone) return false;
  row->relation = entry->relation.load(std::memory_order_relaxed);
  for (size_t i = 0; i < kProgressParameters; ++i)
    row->parameters[i] = entry->parameters[i].load(std::memory_order_relaxed);
  return true;
}

size_t ProgressAreaSize() { return static_cast<size_t>(MaxProcessSlots()) * sizeof(ProgressEntry); }
void ProgressAreaInit(void*) {}

}  // namespace walden
