#include "node/access/heap/row_queue.h"

#include "node/txn/transaction.h"

namespace walden {
namespace {

// Kept locks of one transaction: a bulk update that meets many others must not fill the lock table.
constexpr int kMostKept = 16;
struct Kept {
  uint64_t transaction = 0;
  int count = 0;
};
thread_local constinit Kept kept;
thread_local constinit RowQueuePlaces* active = nullptr;

bool MayKeep(int places) {
  uint64_t transaction = CurrentVirtualLocal();
  if (kept.transaction != transaction) kept = {transaction, 0};
  if (kept.count + places > kMostKept) return false;
  kept.count += places;
  return true;
}

}  // namespace

RowQueuePlaces::RowQueuePlaces(const TableRef& table) : table_(table.oid) {
  if (active == nullptr) active = this;
}

RowQueuePlaces::~RowQueuePlaces() {
  GiveBack();
  if (active == this) active = nullptr;
}

void RowQueuePlaces::KeepToEnd() {
  if (active == this) active = nullptr;
  if (count_ > 0 && MayKeep(count_)) count_ = 0;
  GiveBack();
}

void RowQueuePlaces::GiveBack() {
  while (count_ > 0) {
    --count_;
    ReleaseLock(places_[count_].tag, places_[count_].mode);
  }
}

bool RowQueuePlaces::TakeOver(const TableRef& table, const LockTag& tag, LockMode mode) {
  if (active == nullptr || active->table_ != table.oid || active->count_ == kMost) return false;
  active->places_[active->count_++] = {tag, mode};
  return true;
}

}  // namespace walden
