// Keeping the place at the head of a row's queue. Whoever waited for a row's holder stands first among those who wait (RowQueueLock,
// row_lock.h). If he gave that place up as soon as he may go on, the next would wake only to find the row changed again and sleep
// on him: two wake-ups for each change of a contended row. So whoever then changes the row keeps the place until his transaction
// ends, and the next sleeps until there is something to do. If the row turns out not to be his to change, the place goes back at once.
#pragma once

#include "node/access/heap/heap.h"
#include "node/txn/lock_manager.h"

namespace walden {

// From the first attempt to change a row of `table` to the last: places of queues that attempts would give up are held here.
// At most one is active at a time; it gives back what it holds when it goes.
class RowQueuePlaces {
 public:
  explicit RowQueuePlaces(const TableRef& table);
  ~RowQueuePlaces();
  RowQueuePlaces(const RowQueuePlaces&) = delete;
  RowQueuePlaces& operator=(const RowQueuePlaces&) = delete;
  // The row was changed: what is held stays with the (sub)transaction. Nothing is taken over any more.
  void KeepToEnd();

  // For RowQueueLock: false if the place has to be given back.
  static bool TakeOver(const TableRef& table, const LockTag& tag, LockMode mode);

 private:
  static constexpr int kMost = 4;
  struct Place {
    LockTag tag;
    LockMode mode;
  };
  void GiveBack();

  Oid table_;
  Place places_[kMost];
  int count_ = 0;
};

}  // namespace walden
