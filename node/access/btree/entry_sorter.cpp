#include "node/access/btree/entry_sorter.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "node/shm/interrupts.h"

namespace walden::btree {

namespace {

constexpr size_t kBlockSize = 1 << 20;
constexpr size_t kRunBufferSize = 256 << 10;

File OpenTemporaryFile() {
  static std::atomic<uint32_t> counter{0};
  MakeDirectories("base/pgsql_tmp");
  std::string path =
      "base/pgsql_tmp/pgsql_tmp" + std::to_string(getpid()) + ".btree" + std::to_string(counter++);
  File file = File::Open(path, O_RDWR | O_CREAT | O_EXCL);
  UnlinkIfExists(path);
  return file;
}

}  // namespace

EntrySorter::EntrySorter(const IndexDesc& index, size_t memory_bytes)
    : index_(index), memory_bytes_(std::max(memory_bytes, 2 * kBlockSize)), ordered_(index) {}
EntrySorter::~EntrySorter() = default;

int64_t EntrySorter::PrefixOf(const Entry& entry) const {
  const IndexKeyColumn& key = index_.keys[0];
  const char* stored = ColumnWalk(entry, *index_.desc).Next();
  if (stored == nullptr) return key.nulls_first ? INT64_MIN : INT64_MAX;
  int64_t prefix;
  switch (key.order) {
    case KeyOrder::kInt16: prefix = Load<int16_t>(stored); break;
    case KeyOrder::kInt32: prefix = Load<int32_t>(stored); break;
    case KeyOrder::kUint32: prefix = Load<uint32_t>(stored); break;
    case KeyOrder::kInt64: prefix = Load<int64_t>(stored); break;
    case KeyOrder::kBytes: {
      StringRef bytes = VarPayload(stored);
      char first[8] = {};
      std::memcpy(first, bytes.data, std::min<size_t>(bytes.size, 8));
      prefix = static_cast<int64_t>(LoadBig<uint64_t>(first) ^ uint64_t{1} << 63);
      break;
    }
    default: return 0;
  }
  return key.descending ? ~prefix : prefix;
}

bool EntrySorter::Less(const Record* a, const Record* b) const {
  if (a->prefix != b->prefix) return a->prefix < b->prefix;
  return CompareEntries(index_, {reinterpret_cast<const char*>(a + 1), a->size},
                        {reinterpret_cast<const char*>(b + 1), b->size}) < 0;
}

void EntrySorter::Add(const Entry& entry, bool alive) {
  int64_t prefix = PrefixOf(entry);
  bool has_room = ordered_.memory_bytes() < memory_bytes_ / 2;
  if (!has_room || !ordered_.Add(entry, prefix, alive)) AddToSort(entry, prefix, alive);
}

void EntrySorter::AddToSort(const Entry& entry, int64_t prefix, bool alive) {
  size_t size = AlignUp(sizeof(Record) + entry.size, 8);
  if (blocks_.empty() || block_used_ + size > kBlockSize) {
    size_t used = total_bytes_ + records_.size() * sizeof(Slot) + ordered_.memory_bytes();
    if (used + kBlockSize > memory_bytes_ && !records_.empty()) Spill();
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(kBlockSize));
    block_used_ = 0;
    total_bytes_ += kBlockSize;
  }
  char* to = blocks_.back().get() + block_used_;
  block_used_ += size;
  Record record{prefix, entry.size, alive ? 1u : 0u};
  std::memcpy(to, &record, sizeof(record));
  std::memcpy(to + sizeof(record), entry.data, entry.size);
  records_.push_back({record.prefix, reinterpret_cast<const Record*>(to)});
}

// Stable, a byte of the prefix at a time; bytes that all have in common cost nothing.
void EntrySorter::SortByPrefix() {
  auto key = [](const Slot& slot) { return static_cast<uint64_t>(slot.prefix) ^ uint64_t { 1 } << 63; };
  uint64_t differing = 0;
  for (const Slot& slot : records_) differing |= key(slot) ^ key(records_[0]);
  std::vector<Slot> other(records_.size());
  for (int shift = 0; shift < 64; shift += 8) {
    if ((differing >> shift & 0xff) == 0) continue;
    size_t starts[256] = {};
    for (const Slot& slot : records_) ++starts[key(slot) >> shift & 0xff];
    size_t sum = 0;
    for (size_t& start : starts) sum += std::exchange(start, sum);
    for (const Slot& slot : records_) other[starts[key(slot) >> shift & 0xff]++] = slot;
    records_.swap(other);
  }
}

void EntrySorter::SortMemory() {
  auto less = [this](const Slot& a, const Slot& b) {
    return a.prefix != b.prefix ? a.prefix < b.prefix : Less(a.record, b.record);
  };
  if (std::is_sorted(records_.begin(), records_.end(), less)) return;
  constexpr size_t kWorthCounting = 4096;
  if (records_.size() < kWorthCounting) {
    std::sort(records_.begin(), records_.end(), less);
    return;
  }
  SortByPrefix();
  // What the prefix does not tell apart is often in order already: rows come in the order of their identities.
  for (auto run = records_.begin(); run != records_.end();) {
    auto end =
        std::find_if(run, records_.end(), [&](const Slot& slot) { return slot.prefix != run->prefix; });
    if (!std::is_sorted(run, end, less)) std::sort(run, end, less);
    run = end;
  }
}

void EntrySorter::Spill() {
  CheckInterrupts();
  SortMemory();
  if (!spill_.is_open()) spill_ = OpenTemporaryFile();
  Run run;
  run.next = spill_size_;
  std::vector<char> buffer;
  buffer.reserve(kRunBufferSize + kPageSize);
  auto flush = [&] {
    spill_.WriteAt(buffer.data(), buffer.size(), spill_size_);
    spill_size_ += buffer.size();
    buffer.clear();
  };
  for (const Slot& slot : records_) {
    const Record* record = slot.record;
    const char* bytes = reinterpret_cast<const char*>(record);
    buffer.insert(buffer.end(), bytes, bytes + AlignUp(sizeof(Record) + record->size, 8));
    if (buffer.size() >= kRunBufferSize) flush();
  }
  flush();
  run.end = spill_size_;
  runs_.push_back(std::move(run));
  records_.clear();
  blocks_.clear();
  total_bytes_ = 0;
  block_used_ = 0;
}

bool EntrySorter::Advance(Run* run) {
  auto available = [run] { return run->filled - run->at; };
  auto refill = [&](size_t need) {
    if (available() >= need) return true;
    std::memmove(run->buffer.data(), run->buffer.data() + run->at, available());
    run->filled -= run->at;
    run->at = 0;
    size_t wanted = std::min<uint64_t>(run->buffer.size() - run->filled, run->end - run->next);
    if (wanted != 0) spill_.ReadExactlyAt(run->buffer.data() + run->filled, wanted, run->next);
    run->next += wanted;
    run->filled += wanted;
    return run->filled >= need;
  };
  if (run->current != nullptr) run->at += AlignUp(sizeof(Record) + run->current->size, 8);
  run->current = nullptr;
  if (!refill(sizeof(Record))) return false;
  uint32_t size = reinterpret_cast<const Record*>(run->buffer.data() + run->at)->size;
  if (!refill(AlignUp(sizeof(Record) + size, 8))) return false;
  run->current = reinterpret_cast<const Record*>(run->buffer.data() + run->at);
  return true;
}

void EntrySorter::PushRun(size_t run) {
  heap_.push_back(run);
  std::push_heap(heap_.begin(), heap_.end(),
                 [this](size_t a, size_t b) { return Less(runs_[b].current, runs_[a].current); });
}

size_t EntrySorter::PopRun() {
  std::pop_heap(heap_.begin(), heap_.end(),
                [this](size_t a, size_t b) { return Less(runs_[b].current, runs_[a].current); });
  size_t run = heap_.back();
  heap_.pop_back();
  return run;
}

void EntrySorter::Sort() {
  if (runs_.empty()) {
    SortMemory();
  } else {
    if (!records_.empty()) Spill();
    size_t buffer_size = std::clamp<size_t>(memory_bytes_ / runs_.size(), 4 * kPageSize, kRunBufferSize * 4);
    for (size_t i = 0; i < runs_.size(); ++i) {
      runs_[i].buffer.resize(AlignUp(buffer_size, 8));
      if (Advance(&runs_[i])) PushRun(i);
    }
  }
  next_sorted_ = NextSorted();
  more_ordered_ = ordered_.Next();
}

const EntrySorter::Record* EntrySorter::NextSorted() {
  if (runs_.empty()) {
    if (next_record_ == records_.size()) return nullptr;
    constexpr size_t kAhead = 8;
    if (next_record_ + kAhead < records_.size()) __builtin_prefetch(records_[next_record_ + kAhead].record);
    return records_[next_record_++].record;
  }
  if (last_run_ != SIZE_MAX && Advance(&runs_[last_run_])) PushRun(last_run_);
  last_run_ = SIZE_MAX;
  if (heap_.empty()) return nullptr;
  last_run_ = PopRun();
  return runs_[last_run_].current;
}

bool EntrySorter::OrderedIsFirst() const {
  if (next_sorted_ == nullptr) return true;
  if (ordered_.prefix() != next_sorted_->prefix) return ordered_.prefix() < next_sorted_->prefix;
  Entry sorted{reinterpret_cast<const char*>(next_sorted_ + 1), next_sorted_->size};
  return CompareEntries(index_, ordered_.entry(), sorted) < 0;
}

bool EntrySorter::Next(Entry* entry, bool* alive) {
  if (returned_ == Source::kOrdered) more_ordered_ = ordered_.Next();
  if (returned_ == Source::kSorted) next_sorted_ = NextSorted();
  returned_ = Source::kNone;
  if (more_ordered_ && OrderedIsFirst()) {
    returned_ = Source::kOrdered;
    *entry = ordered_.entry();
    *alive = ordered_.alive();
    return true;
  }
  if (next_sorted_ == nullptr) return false;
  returned_ = Source::kSorted;
  *entry = {reinterpret_cast<const char*>(next_sorted_ + 1), next_sorted_->size};
  *alive = next_sorted_->alive != 0;
  return true;
}

}  // namespace walden::btree
