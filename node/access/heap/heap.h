// Heap tables: reading and changing rows. What is visible: visibility.h. How rows look: access/tuple.h.
//
// Callers hold the heavyweight table lock that SQL demands (AccessShare to read, RowExclusive to write). No
// function returns with a page lock held; pins are owned by the objects that say so. All throw SqlError; on
// error, buffers and locks are released by the transaction's clean-up.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "node/access/deform.h"
#include "node/access/table.h"
#include "node/buffer/buffer_pool.h"
#include "node/txn/lock_modes.h"
#include "node/txn/snapshot.h"

namespace walden {

// Row versions that a page can hold (line pointers without storage come on top).
inline constexpr int kMaxTuplesPerPage =
    static_cast<int>((kPageSize - kPageHeaderSize) / (sizeof(TupleHeader) + sizeof(ItemId)));

// ---- Reading ----

// Hands out block ranges to the scans that share it; lives in memory that all of them map.
class ParallelBlockRange {
 public:
  void Init(BlockNumber blocks) {
    next_.store(0, std::memory_order_relaxed);
    blocks_ = blocks;
    chunk_ = blocks / 2048 < 1 ? 1 : (blocks / 2048 > 64 ? 64 : blocks / 2048);
  }
  // False when all are taken.
  bool Take(BlockNumber* first, BlockNumber* end) {
    uint64_t start = next_.fetch_add(chunk_, std::memory_order_relaxed);
    if (start >= blocks_) return false;
    *first = static_cast<BlockNumber>(start);
    *end = static_cast<BlockNumber>(start + chunk_ < blocks_ ? start + chunk_ : blocks_);
    return true;
  }

 private:
  std::atomic<uint64_t> next_{0};
  uint64_t blocks_ = 0;
  uint32_t chunk_ = 1;
};

struct HeapScanOptions {
  BlockNumber first_block = 0;
  BlockNumber end_block = kInvalidBlock;   // default: the table's size when the scan began
  ParallelBlockRange* parallel = nullptr;  // overrides the range
  bool bulk = true;                        // use a ring of buffers when the table is large
  bool prune = true;
};

// An integer that a row's attribute must have to be of interest: another row need not even be visible or not.
struct RowKey {
  AttrNumber attno;
  uint16_t offset;  // within the attributes of a row that has no null up to it
  uint8_t width;    // 2, 4 or 8 bytes
  int64_t value;
};

// Sequential scan, a page at a time. Each page is pruned if worthwhile, then all its visible rows are
// determined in one pass under one shared lock. Owns a pin on the current page: rows stay put until the next
// page is asked for (HoldPin keeps them longer). `table` and `snapshot` must outlive the scan.
class HeapScan {
 public:
  HeapScan(const TableRef& table, const Snapshot& snapshot, const HeapScanOptions& options = {});
  ~HeapScan();
  // Goes to the next page that has visible rows; false at the end.
  bool NextPage();
  std::span<const TupleView> rows() const { return {rows_.views, row_count_}; }
  BlockNumber block() const { return block_; }
  // Another pin of the current page, to keep its rows beyond NextPage.
  BufferPin HoldPin() const { return pin_.Share(); }
  void Restart();
  // From the next page on, rows that surely differ from the key are passed over, whether visible or not (not
  // every row is looked into: the caller still has to test). Those that look live count as returned all the same.
  void PassOverOthers(const std::optional<RowKey>& key) { key_ = key; }

 private:
  bool NextBlock(BlockNumber* block);
  void CollectRows();
  template <class T>
  void CollectRowsWith();
  const TableRef& table_;
  const Snapshot& snapshot_;
  HeapScanOptions options_;
  std::unique_ptr<BufferStrategy> strategy_;
  BufferPin pin_;
  BlockNumber block_ = kInvalidBlock;
  BlockNumber next_ = 0;
  BlockNumber end_ = 0;
  std::optional<RowKey> key_;
  uint32_t row_count_ = 0;
  uint32_t passed_over_ = 0;  // live rows of the page that differ from the key
  // Only what was collected is ever written or read: a scan of one small page must not pay for clearing 7 KB.
  union Rows {
    Rows() {}
    TupleView views[kMaxTuplesPerPage];
  } rows_;
};

// Fetches rows by identity, as index and TID scans do. Keeps a pin on the page of the row last fetched, so
// that a run of rows on one page costs one look-up; rows stay put until the next Fetch to another page.
class HeapFetcher {
 public:
  // `index_stats`: rows that FetchChain finds count for that index.
  explicit HeapFetcher(const TableRef& table, RelationStats* index_stats = nullptr)
      : table_(table), index_stats_(index_stats) {}
  // Follows the HOT chain that begins at `tid` and finds the version visible to `snapshot`; `row->tid` is its
  // own identity. `*all_dead` (optional): no version in the chain can be visible to anybody (kill the index
  // entry).
  bool FetchChain(TupleId tid, const Snapshot& snapshot, TupleView* row, bool* all_dead = nullptr);
  // Exactly this version; false if it does not exist or is not visible.
  bool FetchVersion(TupleId tid, const Snapshot& snapshot, TupleView* row);
  // Exactly this version whatever its visibility; false if the line pointer holds none.
  bool FetchAny(TupleId tid, TupleView* row);
  BufferPin HoldPin() const { return pin_.Share(); }
  void Release() { pin_.Release(); }
  const TableRef& table() const { return table_; }

 private:
  char* PinPage(BlockNumber block);
  const TableRef& table_;
  RelationStats* index_stats_;
  BufferPin pin_;
};

// The newest version of the row that is visible to `snapshot`, for currtid and TID scans with an old ctid.
TupleId HeapLatestTid(const TableRef& table, TupleId tid, const Snapshot& snapshot);

// Index-only scans: true if every row on the page is visible to everybody (reads the visibility map alone).
// `vm_pin` caches the map page between calls.
bool HeapPageIsAllVisible(const TableRef& table, BlockNumber block, BufferPin* vm_pin);

// ---- Writing ----

enum class TupleResult : uint8_t {
  kOk,
  kInvisible,     // the snapshot could never have seen it
  kSelfModified,  // by this transaction, in or after the current command
  kUpdated,       // by a committed transaction; failure.ctid is the next version
  kDeleted,
  kBeingModified,  // only with WaitPolicy::kReturn
  kWouldBlock,     // WaitPolicy::kSkip
};

struct TupleFailure {
  TupleId ctid;  // next version (kUpdated); itself when deleted; kMovedPartitionsOffset: in another partition
  Xid xmax;      // who changed it: the xmin that the version at ctid must have to be the same row's
  CommandId cmax = kInvalidCommandId;  // kSelfModified: the command that did it
};

enum class WaitPolicy : uint8_t {
  kBlock,   // wait for the other transaction
  kSkip,    // SKIP LOCKED: kWouldBlock
  kError,   // NOWAIT: throws 55P03 "could not obtain lock on row in relation ..."
  kReturn,  // kBeingModified at once
};

struct InsertOptions {
  bool skip_fsm = false;  // only fill pages of one's own (COPY into a new table)
  bool frozen = false;    // COPY FREEZE: into a file that this transaction made; with HeapMultiInsert only
  bool speculative = false;
  uint32_t speculative_token = 0;
};

// Keeps the target page pinned between inserts of one statement, and a ring for large loads. One per table
// written; destroyed with the statement.
class BulkInsertState {
 public:
  explicit BulkInsertState(bool use_ring);
  ~BulkInsertState();
  BufferPin pin;
  std::unique_ptr<BufferStrategy> strategy;
  // Blocks that this statement added to the table and has not used yet.
  BlockNumber next_own = kInvalidBlock;
  BlockNumber end_own = kInvalidBlock;
  bool has_unrecorded_blocks = false;        // not in the free space map yet
  BlockNumber added_blocks = 0;              // by this statement: the more, the larger the next step
  BlockNumber frozen_block = kInvalidBlock;  // filled with frozen rows, not yet marked all-visible
};

// Stores a new row; compresses or moves out long values (into scratch memory, `row` is left as formed but for
// its header). Sets the header's transaction fields. Assigns an xid. `bulk` may be null.
TupleId HeapInsert(const TableRef& table, TupleBuffer* row, CommandId cid, const InsertOptions& options = {},
                   BulkInsertState* bulk = nullptr);
// Several rows with one WAL record a page; tids[i] receives the place of rows[i].
void HeapMultiInsert(const TableRef& table, std::span<TupleBuffer* const> rows, CommandId cid,
                     const InsertOptions& options, BulkInsertState* bulk, TupleId* tids);
// After the last HeapMultiInsert of frozen rows: their pages are all-visible, the last one too.
void HeapFinishFrozen(const TableRef& table, BulkInsertState* bulk);

// ON CONFLICT: makes a speculatively inserted row real, or kills it at once (also its TOAST values; any row
// that this transaction inserted may be killed so, also in the command that made it).
void HeapFinishSpeculative(const TableRef& table, TupleId tid);
void HeapAbortSpeculative(const TableRef& table, TupleId tid);

// Deletes the version `tid`. `crosscheck`: the row must also be visible to it (serializable RI checks), may
// be null.
TupleResult HeapDelete(const TableRef& table, TupleId tid, CommandId cid, const Snapshot* crosscheck,
                       WaitPolicy wait, TupleFailure* failure, bool changing_partition = false);

struct UpdateOutcome {
  TupleId tid;                                           // of the new version
  bool hot = false;                                      // indexes need no new entry
  RowLockMode lock_mode = RowLockMode::kNoKeyExclusive;  // that the update took
};
// Replaces version `tid` by `row` (see FormUpdatedTuple).
TupleResult HeapUpdate(const TableRef& table, TupleId tid, TupleBuffer* row, CommandId cid,
                       const Snapshot* crosscheck, WaitPolicy wait, TupleFailure* failure,
                       UpdateOutcome* outcome);

// Locks version `tid` (SELECT FOR ...). `follow_updates`: also lock the later versions that an in-progress or
// key-preserving update made, as PostgreSQL does. With kUpdated the caller re-checks its condition on
// failure.ctid.
TupleResult HeapLock(const TableRef& table, TupleId tid, CommandId cid, RowLockMode mode, WaitPolicy wait,
                     bool follow_updates, TupleFailure* failure);

// The versions that other worlds would show instead of the one that the HOT update to `tid` replaced: if of the commits that are not
// settled yet only the first few lasted. Newest first, down to the first that a settled commit made; false if the chain does not reach
// one, or is long. Each has the replaced version's index keys.
bool HeapEarlierVersions(const TableRef& table, TupleId tid, std::vector<TupleId>* versions);

// Overwrites a row in place, same size, without transaction: only for statistics columns of catalogs
// (pg_class, pg_database). The caller holds a lock that excludes other in-place writers.
void HeapInplaceUpdate(const TableRef& table, TupleId tid, std::span<const char> attributes);

// ---- Index support ----

// Feeds every row that an index build must consider: root identity of its HOT chain, the row, and whether it
// is alive. `snapshot` null: a build under ShareLock (waits for in-progress deleters/inserters as needed,
// counts recently dead rows); else only rows visible to it (CREATE INDEX CONCURRENTLY's phases).
class IndexBuildRows {
 public:
  // Set when some old version that a snapshot may still want got no entry of its own: transactions that began
  // before the build must not use the index (pg_index.indcheckxmin).
  bool broken_hot_chain = false;
  // The index is unique: in-progress work of others must end before its rows are judged.
  bool wait_for_others = false;

  virtual ~IndexBuildRows() = default;
  virtual void Row(const TupleView& row, TupleId root, bool alive) = 0;
};
// Returns the number of live rows seen.
double HeapIndexBuildScan(const TableRef& table, const Snapshot* snapshot, IndexBuildRows* rows);

// For unique checks: is some version in the HOT chain at `tid` live, counting uncommitted ones? `*wait_for`
// is the xid to wait for before the answer is final (invalid if final); `*speculative_token` as inserted.
// `own_insert`: tid of the row being checked, which does not conflict.
bool HeapChainIsLiveDirty(const TableRef& table, TupleId tid, Xid* wait_for, uint32_t* speculative_token,
                          TupleId* live_tid, bool* all_dead);

}  // namespace walden
