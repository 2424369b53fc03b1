// A running private node for tests of transactions.
#pragma once

#include "private_node.h"

#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/txn/snapshot.h"

namespace walden {

class TxnTest : public PrivateNodeTest {
 protected:
  TxnTest() : PrivateNodeTest({"pg_wal"}) { Start(kStart, {}, true); }
};

// A transaction that writes: returns its xid and CSN.
inline CommitResult CommitOne() {
  BeginTransaction();
  CurrentXid();
  return CommitTransaction();
}

// This thread as another process: the position of a snapshot that it takes.
inline Lsn TakeSnapshotIn(int process) {
  ThreadIdentity identity(process);
  BeginTransaction();
  Lsn csn = LatestSnapshot()->csn;
  CommitTransaction();
  return csn;
}

inline bool Sees(const Snapshot& snapshot, Xid xid) { return DecideXid(xid, snapshot).visible; }

}  // namespace walden
