// Replaying a record: what a redo function gets. Owner: buffer. Lives for one record in one redo worker.
//
//   void RedoHeapInsert(RedoContext& redo) {
//     RedoPage page = redo.OpenPage(0);
//     if (page.NeedsRedo()) {            // false: newer already, restored from an image, or the file is gone
//       ... change page.page() ...
//       page.Finish();                   // stamps the record's LSN, marks dirty
//     }
//   }                                    // unlocks, unpins
// Redo of a record with several pages holds their locks as the original did; open them in that order.
#pragma once

#include "node/base/ids.h"
#include "node/buffer/buffer_pool.h"
#include "node/wal/reader.h"

namespace walden {

enum class RedoAction : uint8_t {
  kApply,      // page is older than the record: change it
  kDone,       // page has the change already
  kRestored,   // page was restored from the image in the record
  kMissing,    // page or relation does not exist (dropped or truncated later in the WAL): nothing to do
  kElsewhere,  // another process of a parallel replay owns the page: nothing to do here
};

// Which pages this process replays when several share the work. Every page has one owner, so that each sees its records in
// the order of the log. Owners 0 .. workers - 1 are the redo workers; pages of maps (all forks but main) belong to the
// dispatcher, owner `workers`. Redo of a record runs in every process that owns a page of it, and changes only those: so it
// must not carry anything from one page over to another, but for records that the dispatcher applies alone.
struct RedoShare {
  uint32_t workers = 0;  // 0: this process replays everything
  uint32_t mine = 0;
  bool Owns(const PageKey& key) const;
};
uint32_t OwnerOfPage(const PageKey& key, uint32_t workers);

// What finds a page that will be opened soon, then its beginning, then the place where a row would be added come into the caches:
// one after the other, some time between them. Only a hint.
uint32_t LookupHintOf(const PageKey& key);
void PrefetchLookup(uint32_t hint);
void PrefetchFound(uint32_t hint);
void PrefetchRoom(uint32_t hint);

// A page opened for redo: pinned and exclusively locked (unless kMissing or kElsewhere) until destroyed or Close().
class RedoPage {
 public:
  RedoPage() = default;
  RedoPage(RedoPage&&) noexcept = default;
  RedoPage& operator=(RedoPage&&) = delete;
  ~RedoPage() { Close(); }

  RedoAction action() const { return action_; }
  bool NeedsRedo() const { return action_ == RedoAction::kApply; }
  bool Exists() const { return static_cast<bool>(pin_); }
  char* page() const { return pin_.page(); }
  BufferPin& pin() { return pin_; }
  BlockNumber block() const { return pin_.block(); }
  // Call after changing the page. Requires: kApply (or kDone/kRestored for a change of hints).
  void Finish();
  void Close();

 private:
  friend class RedoContext;
  RedoAction action_ = RedoAction::kMissing;
  BufferPin pin_;
  Lsn lsn_;
};

class RedoContext {
 public:
  RedoContext(const DecodedRecord& record, bool hot_standby, RedoShare share = {})
      : record_(record), hot_standby_(hot_standby), share_(share) {}

  const DecodedRecord& record() const { return record_; }
  Lsn start() const { return record_.start; }
  Lsn lsn() const { return record_.end; }  // what pages are stamped with
  Xid xid() const { return record_.xid; }
  // Queries may be running (standby); redo that removes row versions takes cleanup locks anyway.
  bool hot_standby() const { return hot_standby_; }

  bool HasPage(int id) const { return record_.FindPage(id) != nullptr; }
  PageKey Key(int id) const;
  // By the reference's flags: kWillInit pages come back zeroed with kApply; pages with an image are restored;
  // else the page is read and its LSN compared. `cleanup`: take a cleanup lock.
  RedoPage OpenPage(int id, bool cleanup = false);
  // A page of the record's relation that has no reference of its own (VM, FSM): extended with zeroes if
  // needed, exclusively locked. kApply always unless its LSN is newer; LSN-less forks (FSM) ignore the
  // action.
  RedoPage OpenOther(const PageKey& key);

 private:
  const DecodedRecord& record_;
  bool hot_standby_;
  RedoShare share_;
};

// ---- pages that redo did not find: they must be explained by a later drop or truncate ----
void NoteMissingPage(const PageKey& key);
void ForgetMissingPages(const RelFileLocator& rel, Fork fork, BlockNumber from);
void ForgetMissingPagesOfDatabase(Oid database);
// Each process notes its own pages. What is forgotten in the dispatcher must be forgotten everywhere: `listener` passes it on.
struct MissingRange {
  RelFileLocator rel;  // number 0: all of rel.database
  Fork fork = Fork::kMain;
  BlockNumber from = 0;
};
void BindForgottenPages(void (*listener)(const MissingRange& range));
void ForgetMissingRange(const MissingRange& range);
// PANIC "WAL contains references to invalid pages" if any is left (at consistency and at the end of
// recovery).
void CheckMissingPages();

// Compares the replayed page with the image that the primary logged (wal_consistency_checking); PANIC on a
// difference after masking.
void CheckPageConsistency(const DecodedRecord& record, RedoShare share = {});

}  // namespace walden
