// The log's beginning and end of life in this run of the node.
#include <algorithm>
#include <cstring>

#include "node/base/check.h"
#include "node/base/error.h"
#include "node/base/log.h"
#include "node/config/settings.h"
#include "node/os/file.h"
#include "node/wal/wal.h"
#include "node/wal/wal_shared.h"

namespace walden {

using namespace wal_internal;

namespace {

uint64_t RingSize() {
  int64_t blocks = GetInt(Setting::kWalBuffers);
  if (blocks < 0) blocks = AutomaticWalBuffers();
  uint64_t bytes = std::max<uint64_t>(static_cast<uint64_t>(blocks) * kPageSize, 64 * 1024);
  return std::bit_floor(bytes);
}

size_t SlotsSize(int slots) { return sizeof(WalShared) + static_cast<size_t>(slots) * sizeof(InserterSlot); }

// Bytes behind the insert position may be records that a crash cut off from what is valid: with luck they
// would fit on again behind new ones. They go before anything is written.
void EraseBehind(const WalStart& start) {
  uint64_t segment = SegmentOf(start.insert_position), offset = OffsetInSegment(start.insert_position);
  File* file = SegmentForWriting(start.timeline, segment, start.system_id);
  WriteZeroes(*file, kWalSegmentHeaderSize + offset, kWalSegmentFileSize);
  file->Sync();
  for (const std::string& name : ListDirectory("pg_wal")) {
    TimelineId timeline;
    uint64_t number;
    // Of who died while it made one. Nobody makes one before the log is open.
    if (name.starts_with(kTemporaryPrefix)) UnlinkIfExists("pg_wal/" + name);
    if (ParseWalSegmentName(name, &timeline, &number) && timeline == start.timeline && number > segment) {
      // To free 16 MiB takes longer than to rename them; the next checkpoint does it.
      RenamePath("pg_wal/" + name, "pg_wal/" + std::string(kErasedPrefix) + name);
    }
  }
  FsyncDirectory("pg_wal");
}

void LoadLastBlock(WalShared* wal, const WalStart& start) {
  uint64_t first = start.insert_position.value & ~(kWalBlock - 1);
  wal->ring_from.store(first);
  size_t size = start.insert_position.value - first;
  if (size == 0) return;
  File* file = SegmentForWriting(start.timeline, SegmentOf(start.insert_position), start.system_id);
  file->ReadExactlyAt(wal->ring() + (first & (wal->ring_size - 1)), size,
                      kWalSegmentHeaderSize + OffsetInSegment(Lsn{first}));
}

}  // namespace

int64_t AutomaticWalBuffers() { return std::clamp<int64_t>(GetInt(Setting::kSharedBuffers) / 32, 8, 2048); }

size_t WalShmSize() { return SlotsSize(MaxProcessSlots() + 1) + kWalBlock + RingSize(); }

void WalShmInit(void* area) {
  WalShared* wal = new (area) WalShared{};
  wal->ring_size = RingSize();
  wal->slot_count = MaxProcessSlots() + 1;
  wal->write_lock.Init(LwRank::kWalWrite);
  wal->writer_slot.store(-1);
  wal->maker_slot.store(-1);
  for (int i = 0; i < wal->slot_count; ++i) {
    InserterSlot* slot = new (wal->slots() + i) InserterSlot{};
    slot->inserting_at.store(kIdle);
  }
  uintptr_t ring = reinterpret_cast<uintptr_t>(area) + SlotsSize(wal->slot_count);
  wal->ring_start = reinterpret_cast<char*>((ring + kWalBlock - 1) & ~uintptr_t{kWalBlock - 1});
}

void OpenWalForWriting(const WalStart& start) {
  WalShared* wal = Shared();
  CHECK(!wal->writable.load() && start.insert_position.value % 8 == 0);
  CloseSegmentForWriting();
  wal->timeline.store(start.timeline);
  wal->system_id.store(start.system_id);
  EraseBehind(start);
  LoadLastBlock(wal, start);
  uint64_t at = start.insert_position.value;
  wal->written.store(at);
  wal->flushed.store(at);
  wal->redo[0].store(start.redo.value);
  wal->redo[1].store(start.redo.value);
  wal->insert_word.store(MakeWord(start.insert_position, 0));
  wal->prepared_end.store(SegmentStart(SegmentOf(start.insert_position)).value);
  AdvancePreparedEnd(wal);
  wal->writable.store(true, std::memory_order_release);
}

void CloseWalForWriting() {
  WalShared* wal = Shared();
  Flush(wal->position());
  wal->writable.store(false, std::memory_order_release);
}

}  // namespace walden
