#include "node/txn/clog.h"

#include <string>

#include "node/base/bytes.h"
#include "node/base/check.h"
#include "node/os/file.h"
#include "node/txn/csn_window.h"
#include "node/txn/page_log.h"
#include "node/txn/txn_shared.h"

namespace walden {
namespace {

// Format: payload of a CLOG page: two bits per xid, low bits first: 00 not committed (in progress or aborted:
// the window, or its absence, tells), 01 committed; 10 and 11 are not used.
constexpr uint64_t kXidsPerPage = kPageLogPayload * 4;
constexpr int kBanks = 16;
constexpr uint8_t kCommittedBits = 1;

PageLog* clog_pages;

struct BitAddress {
  uint64_t page;
  size_t byte;
  int shift;
};
BitAddress AddressOf(Xid xid) {
  uint64_t index = xid.value % kXidsPerPage;
  return {xid.value / kXidsPerPage, index / 4, static_cast<int>(index % 4) * 2};
}

constexpr Lsn kLongAgo = kInvalidLsn;

CommitState FromClog(Xid xid) {
  return {ClogIsCommitted(xid) ? XidStatus::kCommitted : XidStatus::kAborted, kLongAgo};
}

CommitState FromFinishedEntry(uint64_t entry) {
  if (entry == csn::kAborted) return {XidStatus::kAborted, kLongAgo};
  return {XidStatus::kCommitted, entry == csn::kCommittedLongAgo ? kLongAgo : Lsn{entry}};
}

// `pointer` was read from the entry of the subtransaction `xid`.
CommitState FromParent(Xid xid, uint64_t pointer) {
  Xid top = csn::ParentOf(pointer);
  uint64_t entry;
  if (csn::Read(top, &entry)) {
    if (entry == csn::kInProgress) return {};
    if (entry == csn::kAborted) return {XidStatus::kAborted, kLongAgo};
  }
  // The top has committed. Did this subtransaction take part? A roll-back to its savepoint marks its entry
  // before the top's, so the entry as it is now tells.
  uint64_t now;
  if (!csn::Read(xid, &now)) return FromClog(xid);
  if (csn::IsFinished(now)) return FromFinishedEntry(now);
  return csn::Read(top, &entry) ? FromFinishedEntry(entry) : FromClog(top);
}

}  // namespace

CommitState LookupCommit(Xid xid) {
  if (!xid.IsNormal()) return {xid.IsValid() ? XidStatus::kCommitted : XidStatus::kAborted, kLongAgo};
  uint64_t entry;
  if (!csn::Read(xid, &entry)) return FromClog(xid);
  if (entry == csn::kInProgress) return {};
  if (csn::IsParent(entry)) return FromParent(xid, entry);
  return FromFinishedEntry(entry);
}

XidDecision DecideXid(Xid xid, const Snapshot& snapshot) {
  CommitState state = LookupCommit(xid);
  XidDecision decision{state.status, false, false};
  if (state.status == XidStatus::kAborted) {
    decision.may_hint = true;
  } else if (state.status == XidStatus::kCommitted && state.csn <= snapshot.csn) {
    decision.visible = true;
    decision.may_hint = RestOnCommit(state.csn);
  }
  return decision;
}

XidDecision DecideXidNow(Xid xid) {
  CommitState state = LookupCommit(xid);
  XidDecision decision{state.status, state.status == XidStatus::kCommitted,
                       state.status == XidStatus::kAborted};
  if (decision.visible) decision.may_hint = RestOnCommit(state.csn);
  return decision;
}

bool HintedCommitVisibleSlow(Xid xid, const Snapshot& snapshot) {
  CommitState state = LookupCommit(xid);
  return state.status == XidStatus::kCommitted && state.csn <= snapshot.csn;
}

Xid TopXidOf(Xid xid) {
  uint64_t entry;
  if (xid.IsNormal() && csn::Read(xid, &entry) && csn::IsParent(entry)) return csn::ParentOf(entry);
  return xid;
}

void ClogSetCommitted(Xid xid, Lsn csn) {
  BitAddress at = AddressOf(xid);
  PageLog::Page page = clog_pages->Change(at.page);
  page.payload()[at.byte] |= static_cast<char>(kCommittedBits << at.shift);
  page.MarkChanged(csn);
}

bool ClogIsCommitted(Xid xid) {
  BitAddress at = AddressOf(xid);
  PageLog::Page page = clog_pages->Read(at.page);
  return ((static_cast<const PageLog::Page&>(page).payload()[at.byte] >> at.shift) & 3) == kCommittedBits;
}

void ClogPreload(Xid xid) { clog_pages->Preload(AddressOf(xid).page); }
void ClogWriteDirty() { clog_pages->WriteDirty(); }

void TruncateClog(Xid oldest) {
  RaiseTo(txn_shared->oldest_clog_xid, oldest.value);
  clog_pages->Truncate(AddressOf(oldest).page);
}

size_t ClogAreaSize() { return PageLog::Size(kBanks); }
void ClogAreaInit(void* at) {
  clog_pages = PageLog::Create(at, {"pg_xact", SyncKind::kXact, false, kBanks, NodeCounter::kXactZeroed});
}

}  // namespace walden
