#include "node/recovery/redo_worker.h"

#include <cstring>

#include "node/base/check.h"
#include "node/base/error.h"
#include "node/base/fault_point.h"
#include "node/base/log.h"
#include "node/buffer/buffer_pool.h"
#include "node/os/process.h"
#include "node/recovery/background_processes.h"
#include "node/recovery/hot_standby.h"
#include "node/recovery/recovery_shared.h"
#include "node/recovery/redo_queue.h"
#include "node/shm/interrupts.h"
#include "node/wal/record_handler.h"

namespace walden {

void ReplayRecord(const DecodedRecord& record, bool hot_standby, bool check_consistency, RedoShare share) {
  const RecordHandler* handler = FindRecordHandler(record.kind);
  if (handler == nullptr)
    Panic("no redo function for record {} at {}", DescribeRecord(record), record.start.ToString());
  try {
    if (FaultPointsArmed()) HitFaultPoint(FaultPoint::kRedoRecord, RecordKindText(record.kind));
    RedoContext context(record, hot_standby, share);
    handler->redo(context);
    if (FaultPointsArmed()) HitFaultPoint(FaultPoint::kRedoApplied, RecordKindText(record.kind));
  } catch (SqlError& error) {
    error.WithContext(fmt::format("WAL redo at {} for {}", record.start.ToString(), DescribeRecord(record)));
    throw;
  }
  DCHECK(HeldPins() == 0);
  if (check_consistency) CheckPageConsistency(record, share);
}

namespace {

class RedoWorker {
 public:
  explicit RedoWorker(int number)
      : reader_(number), share_{static_cast<uint32_t>(RedoWorkerCount()), static_cast<uint32_t>(number)} {}

  // False: told to stop before it was dismissed.
  bool Run() {
    for (;;) {
      const RedoMessage* message = reader_.Peek();
      if (InterruptPending(Interrupt::kTerminate)) return false;
      if (message == nullptr) {
        reader_.Wait();
        CheckInterrupts();
        continue;
      }
      bool dismissed = message->command == RedoCommand::kDismiss;
      RedoMessage header = *message;
      reader_.PrefetchBehind();
      Obey(header, reinterpret_cast<const char*>(message + 1));
      reader_.Done(header);
      if (dismissed) {
        reader_.Tell();
        return true;
      }
    }
  }

 private:
  void Obey(const RedoMessage& message, const char* payload) {
    switch (message.command) {
      case RedoCommand::kRecord: return Replay(message, payload);
      case RedoCommand::kForgetPages: {
        MissingRange range;
        std::memcpy(static_cast<void*>(&range), payload, sizeof range);
        return ForgetMissingRange(range);
      }
      case RedoCommand::kCheckMissing: return CheckMissingPages();
      case RedoCommand::kFiller:
      case RedoCommand::kDismiss: return;
    }
  }

  void Replay(const RedoMessage& message, const char* payload) {
    record_.start = Lsn{message.start};
    record_.end = Lsn{message.end};
    record_.timeline = message.timeline;
    std::string error;
    // Where it lies, until Done. The dispatcher has read it already.
    CHECK(DecodeRecord({payload, message.size}, &record_, &error));
    ReplayRecord(record_, message.hot_standby, message.check_consistency, share_);
  }

  RedoReader reader_;
  RedoShare share_;
  DecodedRecord record_;
};

}  // namespace

bool RunRedoWorker() {
  int number = self_slot() - SlotsOf(ProcessKind::kRedoWorker).first;
  SetProcessTitle(fmt::format("walden: redo worker {}", number + 1));
  BindReplayWaits();
  RedoWorker worker(number);
  RedoQueueOf(number).ready.store(1, std::memory_order_release);
  int startup = Recovery()->startup_slot.load(std::memory_order_acquire);
  if (startup >= 0) SlotAt(startup).latch.Set();
  try {
    return worker.Run();
  } catch (const SqlError& error) {
    ReleaseAllPins();
    ReportRedoFailure(error);
  }
  // The startup process fails with the same words, and the postmaster stops everybody.
  while (!InterruptPending(Interrupt::kTerminate)) {
    self().latch.Reset();
    WaitLatch(-1, WaitEvent::kRedoWorkerMain);
    CheckInterrupts();
  }
  return false;
}

}  // namespace walden
