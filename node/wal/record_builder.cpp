#include "node/wal/record_builder.h"

#include <lz4.h>
#include <zstd.h>

#include <cstring>
#include <memory>

#include "node/base/bytes.h"
#include "node/base/check.h"
#include "node/base/crc32c.h"
#include "node/base/error.h"
#include "node/base/fault_point.h"
#include "node/config/settings.h"
#include "node/shm/interrupts.h"
#include "node/stats/counters.h"
#include "node/storage/page.h"
#include "node/wal/wal.h"
#include "node/wal/wal_shared.h"
#include "node/wal/wal_usage.h"

namespace walden {

using namespace wal_internal;

namespace {

struct CompressionBuffer {
  char bytes[kPageSize];
};
// One per page of a record; made when wal_compression first needs it.
thread_local std::unique_ptr<CompressionBuffer[]> compression_buffers;

bool WantsConsistencyImages(RecordKind kind) {
  const std::string& kinds = GetString(Setting::kWalConsistencyChecking);
  if (__builtin_expect(kinds.empty(), 1)) return false;
  if (kinds == "all") return true;
  const RecordKindInfo* info = FindRecordKind(kind);
  std::string_view rest = kinds;
  while (!rest.empty()) {
    size_t comma = rest.find(',');
    std::string_view item = rest.substr(0, comma);
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    bool same = item.size() == info->family.size();
    for (size_t i = 0; same && i < item.size(); ++i) same = (item[i] | 0x20) == (info->family[i] | 0x20);
    if (same) return true;
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  return false;
}

}  // namespace

WalRecord::WalRecord(RecordKind kind) : kind_(kind), xid_(wal_writer_xid) {}

WalRecord::~WalRecord() { CHECK(!reserved_); }  // a reserved range must be filled

int16_t WalRecord::NewChunk(const void* data, size_t size) {
  CHECK(chunk_count_ < kMaxChunks);
  chunks_[chunk_count_] = {static_cast<const char*>(data), static_cast<uint32_t>(size), -1};
  return static_cast<int16_t>(chunk_count_++);
}

void WalRecord::AddData(const void* data, size_t size) {
  if (size == 0) return;
  int16_t chunk = NewChunk(data, size);
  if (last_data_ < 0)
    first_data_ = chunk;
  else
    chunks_[last_data_].next = chunk;
  last_data_ = chunk;
  data_size_ += static_cast<uint32_t>(size);
}

WalRecord::Page* WalRecord::FindPage(int id) {
  for (int i = page_count_ - 1; i >= 0; --i) {
    if (ids_[i] == id) return &page(i);
  }
  return nullptr;
}

void WalRecord::AddPage(int id, const PageKey& key, const char* page_bytes, int flags) {
  CHECK(page_count_ < kMaxRecordPages && id >= 0 && id < kMaxRecordPages);
  CHECK(page_count_ == 0 || ids_[page_count_ - 1] < id);
  DCHECK(NeedsWal(key.rel, key.fork));
  ids_[page_count_] = id;
  new (&page(page_count_++)) Page{key, page_bytes, flags, -1, -1, 0, {}, nullptr, false};
}

void WalRecord::AddPageData(int id, const void* data, size_t size) {
  if (size == 0) return;
  Page* page = FindPage(id);
  CHECK(page != nullptr && page->data_size + size <= UINT16_MAX);
  int16_t chunk = NewChunk(data, size);
  if (page->last_chunk < 0)
    page->first_chunk = chunk;
  else
    chunks_[page->last_chunk].next = chunk;
  page->last_chunk = chunk;
  page->data_size += static_cast<uint32_t>(size);
}

void WalRecord::DecideImage(Page* page, Lsn redo, bool for_consistency) {
  PageRefHeader& ref = page->ref;
  bool needed = (page->flags & kWalForceImage) != 0 ||
                ((page->flags & (kWalWillInit | kWalNoImage)) == 0 && PageLsn(page->page) <= redo);
  if ((page->flags & kWalWillInit) != 0) ref.flags |= kRefWillInit;
  if (!needed && !for_consistency) return;
  ref.flags |= kRefHasImage;
  if (needed) ref.flags |= kRefImageRestores;
  const PageHeader* header = HeaderOf(page->page);
  bool hole = (page->flags & kWalStandard) != 0 && header->lower >= kPageHeaderSize &&
              header->upper > header->lower && header->upper <= kPageSize;
  if (hole) {
    ref.hole_offset = header->lower;
    ref.hole_size = static_cast<uint16_t>(header->upper - header->lower);
  }
  ref.image_size = static_cast<uint16_t>(kPageSize - ref.hole_size);
}

namespace {

// 0 if it would not become smaller. The context is made once: nothing is allocated in a critical section after that.
int CompressZstd(const char* from, char* to, size_t size) {
  static thread_local const std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(),
                                                                                       ZSTD_freeCCtx);
  if (context == nullptr) return 0;
  size_t made = ZSTD_compressCCtx(context.get(), to, size - 1, from, size, ZSTD_CLEVEL_DEFAULT);
  return ZSTD_isError(made) ? 0 : static_cast<int>(made);
}

}  // namespace

void WalRecord::CompressImage(Page* page, int index) {
  if (compression_buffers == nullptr) compression_buffers.reset(new CompressionBuffer[kMaxRecordPages]);
  PageRefHeader& ref = page->ref;
  char plain[kPageSize];
  std::memcpy(plain, page->page, ref.hole_offset);
  std::memcpy(plain + ref.hole_offset, page->page + ref.hole_offset + ref.hole_size,
              ref.image_size - ref.hole_offset);
  char* to = compression_buffers[index].bytes;
  bool zstd = GetEnum<WalCompression>(Setting::kWalCompression) == WalCompression::kZstd;
  int size = zstd ? CompressZstd(plain, to, ref.image_size)
                  : LZ4_compress_default(plain, to, ref.image_size, ref.image_size - 1);
  if (size <= 0) return;
  ref.flags |= zstd ? kRefImageZstd : kRefImageLz4;
  ref.image_size = static_cast<uint16_t>(size);
  page->image = to;
}

void WalRecord::Assemble(Lsn redo) {
  bool compress = GetEnum<WalCompression>(Setting::kWalCompression) != WalCompression::kOff;
  bool consistency = WantsConsistencyImages(kind_);
  size_t size = sizeof(RecordHeader) + data_size_;
  images_ = 0;
  for (int i = 0; i < page_count_; ++i) {
    Page& page = this->page(i);
    PageRefHeader& ref = page.ref;
    ref = {};
    page.image = nullptr;
    ref.id = static_cast<uint8_t>(ids_[i]);
    ref.fork = static_cast<uint8_t>(page.key.fork);
    ref.owner = static_cast<uint8_t>(page.key.rel.owner);
    ref.block = page.key.block;
    DecideImage(&page, redo, consistency);
    if (compress && (ref.flags & kRefHasImage) != 0) CompressImage(&page, i);
    bool restores = (ref.flags & kRefImageRestores) != 0;
    images_ += restores;
    ref.data_size = restores && (page.flags & kWalKeepData) == 0 ? 0 : static_cast<uint16_t>(page.data_size);
    page.same_relation = i > 0 && page.key.rel == this->page(i - 1).key.rel;
    if (page.same_relation) ref.flags |= kRefSameRelation;
    size +=
        sizeof(PageRefHeader) + (page.same_relation ? 0 : kRefLocatorSize) + ref.image_size + ref.data_size;
  }
  if (size > kMaxRecordSize)
    throw SqlError(ErrorCode::kProgramLimitExceeded, "WAL record of {} bytes is too large", size);
  size_ = static_cast<uint32_t>(size);
  header_ = {size_, 0,         xid_.value, static_cast<uint16_t>(kind_), static_cast<uint8_t>(page_count_),
             0,     data_size_};
  header_.crc = BodyCrc();
}

// Calls sink(bytes, size) for everything behind the record header, in order.
template <class Sink>
void WalRecord::ForEachPiece(Sink&& sink) const {
  for (int i = 0; i < page_count_; ++i) {
    const Page& page = this->page(i);
    sink(reinterpret_cast<const char*>(&page.ref), sizeof page.ref);
    if (!page.same_relation) sink(reinterpret_cast<const char*>(&page.key.rel), kRefLocatorSize);
    if (page.image != nullptr) {
      sink(page.image, page.ref.image_size);
    } else if ((page.ref.flags & kRefHasImage) != 0) {
      size_t after = page.ref.hole_offset + page.ref.hole_size;
      sink(page.page, page.ref.hole_offset);
      sink(page.page + after, kPageSize - after);
    }
    if (page.ref.data_size == 0) continue;
    for (int16_t chunk = page.first_chunk; chunk >= 0; chunk = chunks_[chunk].next) {
      sink(chunks_[chunk].data, chunks_[chunk].size);
    }
  }
  for (int16_t chunk = first_data_; chunk >= 0; chunk = chunks_[chunk].next)
    sink(chunks_[chunk].data, chunks_[chunk].size);
}
static_assert(offsetof(RelFileLocator, tablespace) == 0 && offsetof(RelFileLocator, number) == 8);

uint32_t WalRecord::BodyCrc() const {
  uint32_t crc = Crc32c(0, &header_, offsetof(RecordHeader, crc));
  crc = Crc32c(crc, reinterpret_cast<const char*>(&header_) + 8, sizeof header_ - 8);
  ForEachPiece([&](const char* bytes, size_t size) { crc = Crc32c(crc, bytes, size); });
  return crc;
}

void WalRecord::Prepare() {
  CHECK(page_count_ == 0 && !prepared_);
  Assemble(kInvalidLsn);
  prepared_ = true;
}

Lsn WalRecord::Reserve() {
  WalShared* wal = Shared();
  CHECK(prepared_ && wal->writable.load(std::memory_order_relaxed));
  InserterSlot& slot = MySlot(wal);
  uint64_t words = AlignUp(size_, 8) >> 3;
  uint64_t word = wal->insert_word.load(std::memory_order_relaxed);
  slot.inserting_at.store(PositionOf(word).value, std::memory_order_seq_cst);
  while (!wal->insert_word.compare_exchange_weak(word, word + words, std::memory_order_seq_cst)) {
  }
  start_ = PositionOf(word);
  end_ = start_ + words * 8;
  reserved_ = true;
  return end_;
}

void WalRecord::Finish() {
  CHECK(reserved_);
  WalShared* wal = Shared();
  InserterSlot& slot = MySlot(wal);
  RecordHeader header = header_;
  header.crc = FinishRecordCrc(header_.crc, start_, wal->timeline.load(std::memory_order_relaxed));
  RingWriter writer(wal, start_);
  writer.Put(reinterpret_cast<const char*>(&header), sizeof header);
  ForEachPiece([&](const char* bytes, size_t size) { writer.Put(bytes, size); });
  writer.PutZeroes(end_ - writer.at());
  slot.inserting_at.store(kIdle, std::memory_order_seq_cst);
  WakeInsertWaiters(wal);
  if (__builtin_expect((start_.value ^ end_.value) >= kWalStep, 0)) WakeBackground(wal, start_, end_);
  Count(NodeCounter::kWalRecords);
  Count(NodeCounter::kWalImages, images_);
  Count(NodeCounter::kWalBytes, end_ - start_);
  ++own_wal_usage.records;
  own_wal_usage.page_images += images_;
  own_wal_usage.bytes += end_ - start_;
  prepared_ = reserved_ = false;
}

// Reserves if the epoch is still `epoch`.
bool WalRecord::ReserveInEpoch(uint32_t epoch) {
  WalShared* wal = Shared();
  InserterSlot& slot = MySlot(wal);
  uint64_t words = AlignUp(size_, 8) >> 3;
  uint64_t word = wal->insert_word.load(std::memory_order_relaxed);
  slot.inserting_at.store(PositionOf(word).value, std::memory_order_seq_cst);
  do {
    if (EpochOf(word) != epoch) {
      slot.inserting_at.store(kIdle, std::memory_order_seq_cst);
      WakeInsertWaiters(wal);
      return false;
    }
  } while (!wal->insert_word.compare_exchange_weak(word, word + words, std::memory_order_seq_cst));
  start_ = PositionOf(word);
  end_ = start_ + words * 8;
  reserved_ = true;
  return true;
}

Lsn WalRecord::Insert() {
  WalShared* wal = Shared();
  if (__builtin_expect(!wal->writable.load(std::memory_order_relaxed), 0)) {
    throw SqlError(ErrorCode::kReadOnlySqlTransaction, "cannot make new WAL entries during recovery");
  }
  if (FaultPointsArmed()) HitFaultPoint(FaultPoint::kRecordChanged, RecordKindText(kind_));
  for (;;) {
    uint32_t epoch = EpochOf(wal->insert_word.load(std::memory_order_seq_cst));
    Lsn redo{wal->redo[epoch & 1].load(std::memory_order_seq_cst)};
    bool images = GetBool(Setting::kFullPageWrites) || wal->force_images.load(std::memory_order_relaxed) != 0;
    Assemble(images ? redo : kInvalidLsn);
    if (ReserveInEpoch(epoch)) break;
  }
  MaybeFault(FaultPoint::kRecordReserved);
  Finish();
  if (FaultPointsArmed()) HitFaultPoint(FaultPoint::kRecordInserted, RecordKindText(kind_));
  return end_;
}

Lsn WalRecord::InsertAndStamp() {
  Lsn end = Insert();
  for (int i = 0; i < page_count_; ++i) SetPageLsn(const_cast<char*>(page(i).page), end);
  return end;
}

Lsn LogNewPage(const PageKey& key, char* page, bool standard) {
  char* pages[] = {page};
  LogNewPages({&key, 1}, pages, standard);
  return PageLsn(page);
}

void LogNewPages(std::span<const PageKey> keys, std::span<char* const> pages, bool standard) {
  for (size_t done = 0; done < keys.size();) {
    CriticalSection critical;
    WalRecord record(RecordKind::kFullPageImage);
    size_t run = std::min<size_t>(keys.size() - done, kMaxRecordPages);
    for (size_t i = 0; i < run; ++i) {
      record.AddPage(static_cast<int>(i), keys[done + i], pages[done + i],
                     kWalForceImage | (standard ? kWalStandard : 0));
    }
    record.InsertAndStamp();
    done += run;
  }
}

Lsn SwitchWalSegment() {
  WalShared* wal = Shared();
  InserterSlot& slot = MySlot(wal);
  EnsureWalSpace();
  CriticalSection critical;
  uint64_t word = wal->insert_word.load(std::memory_order_seq_cst);
  slot.inserting_at.store(PositionOf(word).value, std::memory_order_seq_cst);
  Lsn start, end;
  do {
    start = PositionOf(word);
    Lsn after = start + sizeof(RecordHeader);
    end = OffsetInSegment(start) == 0 ? start : Lsn{AlignUp(after.value, kWalSegmentSize)};
  } while (end != start && !wal->insert_word.compare_exchange_weak(word, MakeWord(end, EpochOf(word)),
                                                                   std::memory_order_seq_cst));
  if (end != start) {
    RecordHeader header{sizeof(RecordHeader), 0, 0, static_cast<uint16_t>(RecordKind::kSwitch), 0, 0, 0};
    header.crc =
        RecordCrc(reinterpret_cast<const char*>(&header), sizeof header, start, wal->timeline.load());
    RingWriter writer(wal, start);
    writer.Put(reinterpret_cast<const char*>(&header), sizeof header);
    writer.PutZeroes(end - writer.at());
  }
  slot.inserting_at.store(kIdle, std::memory_order_seq_cst);
  WakeInsertWaiters(wal);
  return end != start ? start + sizeof(RecordHeader) : start;
}

}  // namespace walden
