// What the control file says (pg_control_*).
#include "node/access/heap/toast.h"
#include "node/config/settings.h"
#include "node/recovery/control_file.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/record_rows.h"
#include "node/sql/functions/scalar.h"
#include "node/storage/relation_file.h"
#include "node/wal/wal.h"

namespace walden {
namespace {

using View = std::string_view;

View ControlSystem(CallContext& c) {
  ControlFile control = GetControlFile();
  return MakeRecord(c, RowValues(c.arena)
                           .Int4(control.version)
                           .Int4(control.catalog_version)
                           .Int8(static_cast<int64_t>(control.system_id))
                           .Time(control.time_us));
}

View ControlCheckpoint(CallContext& c) {
  ControlFile control = GetControlFile();
  const CheckpointData& data = control.checkpoint_data;
  RowValues row(c.arena);
  row.Position(Lsn{control.checkpoint}).Position(Lsn{data.redo});
  row.Text(WalSegmentName(data.timeline, SegmentOf(Lsn{data.redo})));
  row.Int4(data.timeline).Int4(data.previous_timeline).Bool(data.full_page_writes != 0);
  row.Text(fmt::format("{}:{}", data.next_xid >> 32, data.next_xid & UINT32_MAX));
  row.Int4(data.next_oid).Transaction(Xid{data.next_multixact}).Transaction(Xid{data.next_multixact_member});
  // Every database shares one bound; none is the one that holds it back.
  row.Transaction(Xid{data.oldest_xid}).ObjectId(Oid::kInvalid).Transaction(Xid{data.oldest_running_xid});
  row.Transaction(Xid{data.oldest_multixact}).ObjectId(Oid::kInvalid);
  row.Transaction(kInvalidXid).Transaction(kInvalidXid);  // no commit timestamps are kept
  return MakeRecord(c, row.Time(static_cast<TimestampUs>(data.wall_time_us)));
}

View ControlRecovery(CallContext& c) {
  ControlFile control = GetControlFile();
  return MakeRecord(c, RowValues(c.arena)
                           .Position(Lsn{control.min_recovery_point})
                           .Int4(control.min_recovery_timeline)
                           .Position(Lsn{control.backup_start})
                           .Position(Lsn{control.backup_end})
                           .Bool(control.backup_end_required != 0));
}

View ControlInit(CallContext& c) {
  constexpr int kDataAlignment = 1;  // rows are packed
  constexpr int kLargeObjectChunk = kPageSize / 4;
  return MakeRecord(c, RowValues(c.arena)
                           .Int4(kDataAlignment)
                           .Int4(kPageSize)
                           .Int4(kBlocksPerSegment)
                           .Int4(GetInt(Setting::kWalBlockSize))
                           .Int4(static_cast<int64_t>(kWalSegmentSize))
                           .Int4(GetInt(Setting::kMaxIdentifierLength) + 1)
                           .Int4(GetInt(Setting::kMaxIndexKeys))
                           .Int4(kToastChunkSize)
                           .Int4(kLargeObjectChunk)
                           .Bool(true)
                           .Int4(GetControlFile().data_checksums));
}

constexpr ScalarFunction kTable[] = {
    Volatile<&ControlSystem>("pg_control_system"),
    Volatile<&ControlCheckpoint>("pg_control_checkpoint"),
    Volatile<&ControlRecovery>("pg_control_recovery"),
    Volatile<&ControlInit>("pg_control_init"),
};

}  // namespace

std::span<const ScalarFunction> ControlFunctions() { return kTable; }

}  // namespace walden
