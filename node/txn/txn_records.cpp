#include "node/txn/txn_records.h"

#include <array>
#include <cstring>
#include <vector>

#include "node/base/error.h"
#include "node/buffer/redo.h"
#include "node/buffer/relation_storage.h"
#include "node/txn/clog.h"
#include "node/txn/csn_window.h"
#include "node/txn/multixact.h"
#include "node/txn/multixact_log.h"
#include "node/txn/standby_locks.h"
#include "node/txn/transaction_state.h"
#include "node/txn/txn_shared.h"
#include "node/txn/txn_state.h"

namespace walden {
namespace {

InvalidationRedo redo_invalidations = nullptr;

// A commit or abort record taken apart.
struct TransactionEnd {
  TransactionRecord header;
  std::vector<Xid> subs;
  std::vector<RelFileLocator> drops;
  std::string_view invalidations;
};

TransactionEnd TakeApart(const DecodedRecord& record) {
  TransactionEnd end;
  end.header = record.Struct<TransactionRecord>();
  std::string_view rest = record.AfterStruct<TransactionRecord>();
  size_t subs = end.header.sub_count * sizeof(Xid), drops = end.header.drop_count * sizeof(RelFileLocator);
  if (rest.size() != subs + drops + end.header.invalidation_bytes) {
    throw SqlError(ErrorCode::kDataCorrupted, "malformed transaction record at {}", record.start.ToString());
  }
  end.subs.resize(end.header.sub_count);
  end.drops.resize(end.header.drop_count);
  if (subs > 0) std::memcpy(end.subs.data(), rest.data(), subs);
  if (drops > 0) std::memcpy(static_cast<void*>(end.drops.data()), rest.data() + subs, drops);
  end.invalidations = rest.substr(subs + drops);
  return end;
}

void ObserveAll(Xid top, const std::vector<Xid>& subs) {
  ObserveRedoXid(top);
  if (!subs.empty()) ObserveRedoXid(subs.back());
}

// Visible first, then the caches, then the locks, then the files: the order of the primary.
void RedoCommit(RedoContext& context) {
  TransactionEnd end = TakeApart(context.record());
  Lsn csn = context.lsn();
  if (context.hot_standby()) AwaitAnnouncedSettled(csn);
  ObserveAll(context.xid(), end.subs);
  ClogSetCommitted(context.xid(), csn);
  csn::Write(context.xid(), csn.value);
  for (Xid sub : end.subs) {
    ClogSetCommitted(sub, csn);
    csn::Write(sub, csn.value);
  }
  PublishReplayed(csn);
  if (redo_invalidations != nullptr && !end.invalidations.empty()) {
    redo_invalidations(end.invalidations, end.header.database, (end.header.flags & kTxnCatalogChanged) != 0);
  }
  if (!end.drops.empty()) DropRelationFiles(end.drops, true);
  ReleaseStandbyLocks(context.xid());
}

void RedoAbort(RedoContext& context) {
  TransactionEnd end = TakeApart(context.record());
  ObserveAll(context.xid(), end.subs);
  MarkAborted(context.xid(), end.subs.data(), end.subs.size());
  AdvanceOldestRunning();
  if (!end.drops.empty()) DropRelationFiles(end.drops, true);
  if ((end.header.flags & kTxnSubtransaction) == 0) ReleaseStandbyLocks(context.xid());
}

void DescribeEnd(const DecodedRecord& record, std::string* out) {
  TransactionEnd end = TakeApart(record);
  *out += fmt::format("wall time {}", end.header.wall_time);
  if (!end.subs.empty()) *out += "; subxacts:";
  for (Xid sub : end.subs) *out += fmt::format(" {}", sub.value);
  if (!end.drops.empty()) *out += "; rels:";
  for (const RelFileLocator& rel : end.drops) *out += " " + RelationPath(rel, Fork::kMain);
  if (!end.invalidations.empty()) *out += fmt::format("; inval {} bytes", end.invalidations.size());
}

void RedoReserve(RedoContext& context) {
  RaiseRedoXidLimit(context.record().Struct<XidReserveRecord>().limit);
}
void DescribeReserve(const DecodedRecord& record, std::string* out) {
  *out += fmt::format("limit {}", record.Struct<XidReserveRecord>().limit);
}

void RedoNextOid(RedoContext& context) {
  txn_shared->next_oid.store(context.record().Struct<NextOidRecord>().limit);
  txn_shared->oids_left = 0;
}
void DescribeNextOid(const DecodedRecord& record, std::string* out) {
  *out += fmt::format("{}", record.Struct<NextOidRecord>().limit);
}

void RedoClogTruncate(RedoContext& context) {
  TruncateClog(Xid{context.record().Struct<TruncateRecord>().oldest});
}
void RedoMultiTruncate(RedoContext& context) {
  TruncateMultiXacts(MultiXactId{context.record().Struct<TruncateRecord>().oldest});
}
void DescribeTruncate(const DecodedRecord& record, std::string* out) {
  *out += fmt::format("oldest {}", record.Struct<TruncateRecord>().oldest);
}

void RedoMultiCreate(RedoContext& context) {
  auto header = context.record().Struct<MultiXactCreateRecord>();
  std::string_view bytes = context.record().AfterStruct<MultiXactCreateRecord>();
  std::vector<uint64_t> packed(header.member_count);
  if (bytes.size() != packed.size() * 8)
    throw SqlError(ErrorCode::kDataCorrupted, "malformed multixact record");
  std::memcpy(packed.data(), bytes.data(), bytes.size());
  ReplayMultiXact(header.multi, header.first_member, packed, context.lsn());
}
void DescribeMultiCreate(const DecodedRecord& record, std::string* out) {
  auto header = record.Struct<MultiXactCreateRecord>();
  *out += fmt::format("{} offset {} nmembers {}", header.multi, header.first_member, header.member_count);
}

void RedoRunning(RedoContext& context) {
  auto running = context.record().Struct<RunningXactsRecord>();
  if (running.next_xid > kFirstNormalXid.value) ObserveRedoXid(Xid{running.next_xid - 1});
  ReplayAbortBelow(Xid{running.oldest_running});
}
void DescribeRunning(const DecodedRecord& record, std::string* out) {
  auto running = record.Struct<RunningXactsRecord>();
  *out += fmt::format("nextXid {} oldestRunningXid {}", running.next_xid, running.oldest_running);
}

void RedoLock(RedoContext& context) {
  auto lock = context.record().Struct<StandbyLockRecord>();
  if (context.hot_standby()) ReplayStandbyLock(context.xid(), Oid{lock.database}, Oid{lock.relation});
}
void DescribeLock(const DecodedRecord& record, std::string* out) {
  auto lock = record.Struct<StandbyLockRecord>();
  *out += fmt::format("db {} rel {}", lock.database, lock.relation);
}

constexpr std::array<RecordHandler, 9> kHandlers = {{
    {RecordKind::kTransactionCommit, RedoCommit, DescribeEnd},
    {RecordKind::kTransactionAbort, RedoAbort, DescribeEnd},
    {RecordKind::kXidReserve, RedoReserve, DescribeReserve},
    {RecordKind::kNextOid, RedoNextOid, DescribeNextOid},
    {RecordKind::kClogTruncate, RedoClogTruncate, DescribeTruncate},
    {RecordKind::kMultiXactCreate, RedoMultiCreate, DescribeMultiCreate},
    {RecordKind::kMultiXactTruncate, RedoMultiTruncate, DescribeTruncate},
    {RecordKind::kRunningXacts, RedoRunning, DescribeRunning},
    {RecordKind::kStandbyLock, RedoLock, DescribeLock},
}};

}  // namespace

bool EndsTransactionOnly(const DecodedRecord& record) {
  if (record.kind != RecordKind::kTransactionCommit && record.kind != RecordKind::kTransactionAbort)
    return false;
  auto header = record.Struct<TransactionRecord>();
  return header.drop_count == 0 && header.invalidation_bytes == 0;
}

void BindInvalidationRedo(InvalidationRedo redo) { redo_invalidations = redo; }

std::span<const RecordHandler> TxnRecordHandlers() { return kHandlers; }

}  // namespace walden
