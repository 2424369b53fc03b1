// pg_snapshot and txid_snapshot: what a snapshot sees, as a value.
#include "node/base/error.h"
#include "node/sql/functions/function_table.h"
#include "node/sql/functions/record_rows.h"
#include "node/sql/functions/scalar.h"
#include "node/txn/snapshot.h"
#include "node/txn/snapshot_export.h"
#include "node/types/xid_snapshot.h"

namespace walden {
namespace {

using View = std::string_view;

View CurrentSnapshot(CallContext& c) {
  if (!HasActiveSnapshot()) throw SqlError(ErrorCode::kInternalError, "no active snapshot set");
  SnapshotXids xids = DescribeSnapshot(ActiveSnapshot());
  std::vector<uint64_t> running;
  for (Xid xid : xids.running) running.push_back(xid.value);
  return MakeXidSnapshot(xids.xmin.value, xids.xmax.value, running, c.arena);
}
uint64_t Lowest(View snapshot) { return XidSnapshotView(snapshot).xmin(); }
uint64_t Highest(View snapshot) { return XidSnapshotView(snapshot).xmax(); }
bool IsVisible(uint64_t xid, View snapshot) { return XidSnapshotView(snapshot).Sees(xid); }

std::unique_ptr<TableFunction> StartRunning(CallContext&, std::span<const Value> args) {
  auto set = std::make_unique<RowSet>();
  XidSnapshotView view(args[0].datum.string.view());
  for (size_t i = 0; i < view.count(); ++i)
    set->Add(set->NewRow().Int8(static_cast<int64_t>(view.running(i))));
  return set;
}

View Export(CallContext& c) { return c.arena.Copy(ExportSnapshot()); }

constexpr ScalarFunction kTable[] = {
    Volatile<&Export>("pg_export_snapshot"),      Volatile<&CurrentSnapshot>("pg_current_snapshot"),
    Scalar<&Lowest>("pg_snapshot_xmin"),          Scalar<&Highest>("pg_snapshot_xmax"),
    Scalar<&IsVisible>("pg_visible_in_snapshot"),
};
constexpr SetFunction kSets[] = {{"pg_snapshot_xip", true, &StartRunning}};

}  // namespace

std::span<const ScalarFunction> SnapshotFunctions() { return kTable; }
std::span<const SetFunction> SnapshotSetFunctions() { return kSets; }

}  // namespace walden
