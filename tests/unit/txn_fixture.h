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

inline bool Sees(const Snapshot& snapshot, Xid xid) { return DecideXid(xid, snapshot).visible; }

}  // namespace walden
