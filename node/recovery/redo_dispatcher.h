// Applies records in the order that their scopes demand. The routing rule is written for any number of
// workers: a record of scope kPages goes to the worker that owns its pages, a barrier waits until what it
// covers is drained. Today one worker runs inside the startup process, so that a dispatched record is applied
// when Dispatch returns. Owner: recovery; used by the startup process only.
#pragma once

#include <cstdint>

#include "node/base/ids.h"
#include "node/wal/reader.h"

namespace walden {

enum class RouteKind : uint8_t {
  kNothing,     // no redo
  kWorker,      // one worker, by page
  kDispatcher,  // in the dispatcher, without waiting for workers
  kInOrder,     // in the dispatcher once everything earlier is applied (transaction ends, global barriers)
  kRelation,    // once everything earlier of the relation is applied; later records of it wait
  kDatabase,
};
struct RedoRoute {
  RouteKind kind = RouteKind::kNothing;
  uint32_t worker = 0;
};
// A record whose pages belong to several workers is a kRelation barrier: applied whole, in the primary's lock
// order.
RedoRoute RouteRecord(const DecodedRecord& record, uint32_t workers);

class RedoDispatcher {
 public:
  // Settles conflicts with queries of a hot standby before the record is applied; see hot_standby.h.
  explicit RedoDispatcher(bool check_consistency) : check_consistency_(check_consistency) {}
  void set_hot_standby(bool on) { hot_standby_ = on; }

  void Dispatch(const DecodedRecord& record);
  // Waits until everything dispatched is applied.
  void Drain() {}
  // Everything below is applied: the lowest position over all workers.
  Lsn AppliedUpTo() const { return applied_; }

 private:
  void Apply(const DecodedRecord& record);

  bool check_consistency_;
  bool hot_standby_ = false;
  Lsn applied_;
};

}  // namespace walden
