#include "node/recovery/redo_dispatcher.h"

#include "node/base/check.h"
#include "node/base/error.h"
#include "node/base/fault_point.h"
#include "node/base/log.h"
#include "node/buffer/redo.h"
#include "node/recovery/hot_standby.h"
#include "node/txn/txn_state.h"
#include "node/wal/record_handler.h"

namespace walden {
namespace {

uint32_t OwnerOf(const PageKey& key, uint32_t workers) {
  uint64_t hash =
      (uint64_t{key.rel.number} << 32 | key.block) * 0x9E3779B97F4A7C15ull + static_cast<uint64_t>(key.fork);
  return static_cast<uint32_t>((hash >> 32) % workers);
}

}  // namespace

RedoRoute RouteRecord(const DecodedRecord& record, uint32_t workers) {
  const RecordKindInfo* info = FindRecordKind(record.kind);
  CHECK(info != nullptr);
  switch (info->scope) {
    case RedoScope::kNothing:
      return {RouteKind::kNothing};
    case RedoScope::kCounter:
      return {RouteKind::kDispatcher};
    case RedoScope::kTransactionEnd:
    case RedoScope::kGlobalBarrier:
      return {RouteKind::kInOrder};
    case RedoScope::kIndexStructural:
    case RedoScope::kRelationBarrier:
      return {RouteKind::kRelation};
    case RedoScope::kDatabaseBarrier:
      return {RouteKind::kDatabase};
    case RedoScope::kPages:
      break;
  }
  if (record.pages.empty()) return {RouteKind::kInOrder};
  uint32_t worker = OwnerOf(record.pages[0].key, workers);
  for (const PageRef& page : record.pages) {
    if (OwnerOf(page.key, workers) != worker) return {RouteKind::kRelation};
  }
  return {RouteKind::kWorker, worker};
}

void RedoDispatcher::Apply(const DecodedRecord& record) {
  const RecordHandler* handler = FindRecordHandler(record.kind);
  if (handler == nullptr)
    Panic("no redo function for record {} at {}", DescribeRecord(record), record.start.ToString());
  if (hot_standby_ && handler->conflict != nullptr) ResolveRedoConflict(handler->conflict(record));
  try {
    if (FaultPointsArmed()) HitFaultPoint(FaultPoint::kRedoRecord, RecordKindText(record.kind));
    RedoContext context(record, hot_standby_);
    handler->redo(context);
    if (FaultPointsArmed()) HitFaultPoint(FaultPoint::kRedoApplied, RecordKindText(record.kind));
  } catch (SqlError& error) {
    error.WithContext(fmt::format("WAL redo at {} for {}", record.start.ToString(), DescribeRecord(record)));
    throw;
  }
  DCHECK(HeldPins() == 0);
  if (check_consistency_) CheckPageConsistency(record);
}

void RedoDispatcher::Dispatch(const DecodedRecord& record) {
  if (FindRecordKind(record.kind) == nullptr) {
    throw SqlError(ErrorCode::kDataCorrupted,
                   "WAL record at {} has kind {:#06x}, which this program does not know",
                   record.start.ToString(), static_cast<unsigned>(record.kind))
        .WithSeverity(Severity::kFatal);
  }
  if (record.xid.IsValid()) ObserveRedoXid(record.xid);
  if (RouteRecord(record, 1).kind != RouteKind::kNothing) Apply(record);
  applied_ = record.end;
}

}  // namespace walden
