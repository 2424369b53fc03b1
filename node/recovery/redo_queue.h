// The queues through which the startup process, as dispatcher, gives records to the redo workers: one ring of messages for each
// worker, in shared memory (area kRedoWorkers), written by the dispatcher alone and read by its worker alone. Internal to
// recovery/.
//
// Positions in a ring only grow; a message lies in one piece, the rest of the ring before it is skipped by a filler.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "node/base/error.h"
#include "node/base/ids.h"
#include "node/buffer/redo.h"
#include "node/wal/reader.h"

namespace walden {

size_t RedoQueuesShmSize();
void RedoQueuesShmInit(void* area);
int RedoWorkerCount();  // as set for this node

enum class RedoCommand : uint8_t {
  kFiller,
  kRecord,        // payload: the record's bytes
  kForgetPages,   // payload: MissingRange
  kCheckMissing,  // PANIC unless every missing page is explained
  kDismiss,       // replay is over
};
struct RedoMessage {
  uint32_t size = 0;  // of the payload
  RedoCommand command{};
  bool hot_standby = false;
  bool check_consistency = false;
  uint8_t unused = 0;
  uint64_t start = 0, end = 0;  // of the record
  uint32_t timeline = 0;
  uint32_t lookup_hint = 0;  // of a page that the worker will open (LookupHintOf)
};
static_assert(sizeof(RedoMessage) == 32);

struct RedoQueue {
  // Dispatcher.
  alignas(64) std::atomic<uint64_t> written;
  // Worker. `applied`: end of the last record that it has applied.
  alignas(64) std::atomic<uint64_t> consumed;
  std::atomic<uint64_t> applied;
  alignas(64) std::atomic<uint32_t> ready;  // the worker is there
  std::atomic<uint32_t> sleeping;           // wants its latch set when something is written
};

enum class DispatcherWait : uint32_t { kNone, kForRoom, kUntilIdle };
struct RedoQueues {
  std::atomic<DispatcherWait> dispatcher_waits;
  // A worker that fails says why and waits for its end: the dispatcher fails with the same words.
  std::atomic<uint32_t> failed;  // 1: being written, 2: told
  uint32_t code;                 // ErrorCode
  char message[512];
  char context[512];
};
RedoQueues* TheRedoQueues();
RedoQueue& RedoQueueOf(int worker);

// ---- dispatcher's end ----

// kWhenMuch: a worker that sleeps goes on sleeping until there is much to do, or the dispatcher has nothing more for it: to wake one
// costs more than to replay a few records. Whoever stops dispatching says kNow first.
enum class RedoWake : uint8_t { kWhenMuch, kNow };

class RedoWriter {
 public:
  void Attach(int worker);
  static constexpr size_t kLargestPayload = 128 * 1024;
  bool HasRoom(size_t payload);
  bool HasRoomAgain();  // half of the ring is free
  // Requires: HasRoom. Seen by the worker after Publish.
  void Write(const RedoMessage& message, const void* payload);
  void Publish(RedoWake wake);
  // Everything that was written is done.
  bool Idle();
  // Every record of this worker below it is applied; kMaxLsn: all that it was given. Requires: everything is published.
  Lsn AppliedBelow();

 private:
  uint64_t Needed(size_t payload) const;
  // Reads what the worker writes: seldom, since the cache line then moves from it to us and back.
  uint64_t Consumed();
  int worker_ = -1;
  RedoQueue* queue_ = nullptr;
  char* ring_ = nullptr;
  uint64_t at_ = 0, published_ = 0;
  uint64_t consumed_ = 0;  // as seen last
  Lsn batch_;              // start of the first record that is not published; invalid: none
  Lsn floor_;              // start of the first record since the worker was seen idle
};

// ---- worker's end ----

class RedoReader {
 public:
  explicit RedoReader(int worker);
  // nullptr: nothing there. The payload follows the message, until Done.
  const RedoMessage* Peek();
  // The message that Peek returned is about to be obeyed: the pages of those behind it come into the caches (PrefetchLookup).
  void PrefetchBehind();
  void Done(const RedoMessage& message);
  // Sleeps until something is written, or a moment.
  void Wait();
  // The dispatcher learns what is done: from Done now and then, and before anything that may last.
  void Tell();

 private:
  const RedoMessage* Find(uint64_t* at) const;
  RedoQueue* queue_;
  char* ring_;
  uint64_t at_ = 0;
  uint64_t told_ = 0;  // the dispatcher knows that much
  // Messages by number: `done_` is the one that Peek finds. Of those behind it the first steps of getting their pages are done.
  static constexpr uint64_t kLookupAhead = 6, kFoundAhead = 3, kRoomAhead = 1;
  uint64_t done_ = 0, looked_up_ = 0, found_ = 0;
  uint64_t ahead_ = 0;  // where message `looked_up_` is or will be
  std::array<uint32_t, 8> hints_{};
};

// The worker: its failure becomes the startup process's.
void ReportRedoFailure(const SqlError& error);
// The dispatcher: throws it.
void CheckRedoFailure();

}  // namespace walden
