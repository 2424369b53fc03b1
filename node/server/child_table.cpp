#include "node/server/child_table.h"

#include <algorithm>

namespace walden {

int ChildTable::TakeSlot(ProcessKind kind) {
  slot_used_.resize(static_cast<size_t>(MaxProcessSlots()), false);
  SlotRange range = SlotsOf(kind);
  for (int slot = range.first; slot < range.first + range.count; ++slot) {
    if (slot_used_[static_cast<size_t>(slot)]) continue;
    slot_used_[static_cast<size_t>(slot)] = true;
    return slot;
  }
  return -1;
}

void ChildTable::ReturnSlot(int slot) {
  if (slot >= 0) slot_used_[static_cast<size_t>(slot)] = false;
}

Child& ChildTable::Add(Child child) { return children_.emplace_back(std::move(child)); }

Child* ChildTable::Find(pid_t pid) {
  auto found = std::find_if(children_.begin(), children_.end(),
                            [pid](const Child& child) { return child.pid == pid; });
  return found == children_.end() ? nullptr : &*found;
}

Child* ChildTable::FindKind(ProcessKind kind) {
  auto found = std::find_if(children_.begin(), children_.end(),
                            [kind](const Child& child) { return child.kind == kind; });
  return found == children_.end() ? nullptr : &*found;
}

void ChildTable::Remove(pid_t pid) {
  children_.remove_if([&](const Child& child) {
    if (child.pid != pid) return false;
    ReturnSlot(child.slot);
    return true;
  });
}

void ChildTable::Clear() {
  children_.clear();
  slot_used_.clear();
}

int ChildTable::Count(ProcessKind kind) const {
  return CountIf([kind](const Child& child) { return child.kind == kind; });
}

int ChildTable::CountIf(const std::function<bool(const Child&)>& predicate) const {
  return static_cast<int>(std::count_if(children_.begin(), children_.end(), predicate));
}

}  // namespace walden
