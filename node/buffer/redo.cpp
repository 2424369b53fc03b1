#include "node/buffer/redo.h"

#include <algorithm>
#include <cstring>

#include "node/base/check.h"
#include "node/base/error.h"
#include "node/buffer/buffer_state.h"
#include "node/storage/sync_queue.h"
#include "node/wal/record_handler.h"

namespace walden {

namespace {

// Pages that redo makes anew may lie beyond the end of the file, which may not even exist.
void EnsureBlockExists(const PageKey& key) {
  if (key.block < RelationBlocks(key.rel, key.fork, true)) return;
  CreateRelationFile(key.rel, key.fork, true);
  ExtendRelationTo(key.rel, key.fork, key.block + 1);
}

// The page was written before the crash, maybe only into the kernel's memory. Nothing writes it again, and the checkpoint at the
// end moves the start of the next recovery past its change.
RedoAction AlreadyDone(const PageKey& key) {
  RequestSync({SyncKind::kRelation, key.fork, key.block / kBlocksPerSegment, key.rel});
  return RedoAction::kDone;
}

void UpgradeToCleanupLock(BufferPin& pin) {
  if (pin.IsCleanupLock()) return;
  pin.Unlock();
  pin.LockForCleanup();
}

}  // namespace

uint32_t OwnerOfPage(const PageKey& key, uint32_t workers) {
  if (key.fork != Fork::kMain) return workers;
  uint64_t hash = (uint64_t{key.rel.number} << 32 | key.block) * 0x9E3779B97F4A7C15ull;
  return static_cast<uint32_t>((hash >> 32) * workers >> 32);
}

uint32_t LookupHintOf(const PageKey& key) {
  return static_cast<uint32_t>(buffer_internal::HashTag(buffer_internal::MakeTag(key)));
}

void PrefetchLookup(uint32_t hint) {
  buffer_internal::Pool* pool = buffer_internal::ThePool();
  __builtin_prefetch(&pool->buckets[hint & pool->bucket_mask]);
}

void PrefetchFound(uint32_t hint) {
  buffer_internal::Pool* pool = buffer_internal::ThePool();
  uint32_t at = pool->buckets[hint & pool->bucket_mask].load(std::memory_order_relaxed);
  if (at == 0) return;
  __builtin_prefetch(&pool->descriptor(at - 1), 1);
  const char* page = pool->page(at - 1);
  __builtin_prefetch(page, 1);
  // Line pointers of the first rows.
  __builtin_prefetch(page + 64, 1);
  __builtin_prefetch(page + 128, 1);
  __builtin_prefetch(page + 192, 1);
}

// (Without a pin: the address sanitizer is not to look.)
[[gnu::no_sanitize_address]] void PrefetchRoom(uint32_t hint) {
  buffer_internal::Pool* pool = buffer_internal::ThePool();
  uint32_t at = pool->buckets[hint & pool->bucket_mask].load(std::memory_order_relaxed);
  if (at == 0) return;
  char* page = pool->page(at - 1);
  // Somebody may be at the page: whatever is read here, the address stays inside it.
  size_t upper = __atomic_load_n(&HeaderOf(page)->upper, __ATOMIC_RELAXED) % kPageSize;
  constexpr size_t kRoom = 192;
  for (size_t back = std::min(upper, kRoom); back > 0; back -= std::min<size_t>(back, 64))
    __builtin_prefetch(page + upper - back, 1);
}

bool RedoShare::Owns(const PageKey& key) const { return workers == 0 || OwnerOfPage(key, workers) == mine; }

void RedoPage::Finish() {
  DCHECK(pin_.IsLockedExclusive());
  SetPageLsn(pin_.page(), lsn_);
  pin_.MarkDirty();
}

void RedoPage::Close() {
  if (!pin_) return;
  pin_.Unlock();
  pin_.Release();
}

PageKey RedoContext::Key(int id) const {
  const PageRef* ref = record_.FindPage(id);
  if (ref == nullptr) {
    throw SqlError(ErrorCode::kDataCorrupted, "failed to locate backup block with ID {} in WAL record at {}",
                   id, record_.start.ToString());
  }
  return ref->key;
}

RedoPage RedoContext::OpenPage(int id, bool cleanup) {
  PageKey key = Key(id);
  const PageRef& ref = *record_.FindPage(id);
  RedoPage page;
  page.lsn_ = lsn();
  if (!share_.Owns(key)) {
    page.action_ = RedoAction::kElsewhere;
    return page;
  }
  if (ref.ImageRestores() || ref.WillInit()) {
    EnsureBlockExists(key);
    page.pin_ = ReadPage(key, ReadMode::kWillOverwrite);
    if (cleanup) UpgradeToCleanupLock(page.pin_);
    page.action_ = RedoAction::kApply;
    if (!ref.ImageRestores()) {
      std::memset(page.page(), 0, kPageSize);
      return page;
    }
    if (!ref.RestoreImage(page.page())) {
      throw SqlError(ErrorCode::kDataCorrupted, "could not restore image at {} with ID {}",
                     record_.start.ToString(), id);
    }
    page.action_ = RedoAction::kRestored;
    if (PageIsNew(page.page()))
      page.pin_.MarkDirty();
    else
      page.Finish();
    return page;
  }
  page.pin_ = ReadPage(key, ReadMode::kIfExists);
  if (!page.pin_) {
    NoteMissingPage(key);
    return page;
  }
  if (cleanup)
    page.pin_.LockForCleanup();
  else
    page.pin_.LockExclusive();
  if (PageIsNew(page.page())) {
    page.Close();
    NoteMissingPage(key);
    return page;
  }
  page.action_ = PageLsn(page.page()) < lsn() ? RedoAction::kApply : AlreadyDone(key);
  return page;
}

RedoPage RedoContext::OpenOther(const PageKey& key) {
  EnsureBlockExists(key);
  RedoPage page;
  page.lsn_ = lsn();
  page.pin_ = ReadPage(key, ReadMode::kZeroOnError);
  page.pin_.LockExclusive();
  page.action_ = PageLsn(page.page()) < lsn() ? RedoAction::kApply : AlreadyDone(key);
  return page;
}

// ---- consistency checking ----

namespace {

void MaskPage(const RecordHandler* handler, char* page, BlockNumber block) {
  PageHeader* header = HeaderOf(page);
  header->lsn = 0;
  header->checksum = 0;
  header->prune_xid = 0;
  header->flags &= ~uint16_t{kPageHasFreeLines | kPageFull};
  if (header->lower >= kPageHeaderSize && header->lower < header->upper && header->upper <= kPageSize) {
    std::memset(page + header->lower, 0, header->upper - header->lower);
  }
  if (handler != nullptr && handler->mask != nullptr) handler->mask(page, block);
}

}  // namespace

void CheckPageConsistency(const DecodedRecord& record, RedoShare share) {
  const RecordHandler* handler = FindRecordHandler(record.kind);
  for (const PageRef& ref : record.pages) {
    if (!ref.HasImage() || ref.ImageRestores() || !share.Owns(ref.key)) continue;
    alignas(8) char replayed[kPageSize], original[kPageSize];
    {
      BufferPin pin = ReadPage(ref.key, ReadMode::kIfExists);
      if (!pin) continue;  // dropped or truncated later
      PageLock lock(pin, PageLockMode::kShared);
      if (PageLsn(pin.page()) != record.end) continue;  // replay began after this change
      std::memcpy(replayed, pin.page(), kPageSize);
    }
    if (!ref.RestoreImage(original)) Panic("could not restore image at {}", record.start.ToString());
    MaskPage(handler, replayed, ref.key.block);
    MaskPage(handler, original, ref.key.block);
    if (std::memcmp(replayed, original, kPageSize) == 0) continue;
    size_t at = 0;
    while (replayed[at] == original[at]) ++at;
    Panic("inconsistent page found, rel {}, forknum {}, blkno {}, first difference at byte {}, record {}",
          RelationPath(ref.key.rel, Fork::kMain), static_cast<int>(ref.key.fork), ref.key.block, at,
          DescribeRecord(record));
  }
}

}  // namespace walden
