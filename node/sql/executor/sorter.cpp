#include "node/sql/executor/sorter.h"

#include <algorithm>

namespace walden {

Sorter::Sorter(std::vector<PhysicalType> types, std::vector<SortKey> keys, MemoryAccount* parent,
               size_t memory_limit_bytes, uint64_t row_limit)
    : account_("Sort", parent),
      memory_limit_(memory_limit_bytes),
      merge_runs_(std::clamp(memory_limit_bytes / SpillFile::kBufferBytes, kLeastMergeRuns, kMostMergeRuns)),
      row_limit_(row_limit),
      rows_(RowLayout(std::move(types)), &account_),
      comparator_(&rows_.layout(), std::move(keys)),
      prefix_is_exact_(comparator_.PrefixIsExact()),
      output_(rows_.layout(), &account_) {}

bool Sorter::Less(const Entry& a, const Entry& b) const {
  if (a.prefix != b.prefix) return a.prefix < b.prefix;
  return comparator_.CompareFrom(prefix_is_exact_ ? 1 : 0, a.row, b.row) < 0;
}

void Sorter::Add(std::span<Vector* const> columns, const Selection& selection) {
  selection.ForEach([&](uint32_t row) {
    if (row_limit_ != 0 && runs_.empty() && entries_.size() >= row_limit_) {
      AddTopN(columns, row);
      return;
    }
    char* kept = rows_.Append(columns, row);
    entries_.push_back({comparator_.Prefix(kept), kept});
    if (row_limit_ != 0 && entries_.size() == row_limit_) {
      std::make_heap(entries_.begin(), entries_.end(), [this](auto& a, auto& b) { return Less(a, b); });
    }
    if (rows_.bytes() + entries_.size() * sizeof(Entry) > memory_limit_) SpillRun();
  });
}

// The heap's top is the worst row kept: a better one takes its place.
void Sorter::AddTopN(std::span<Vector* const> columns, uint32_t row) {
  auto less = [this](const Entry& a, const Entry& b) { return Less(a, b); };
  char* candidate = output_.Append(columns, row);
  bool better = Less({comparator_.Prefix(candidate), candidate}, entries_.front());
  output_.Clear();
  if (!better) return;
  std::pop_heap(entries_.begin(), entries_.end(), less);
  char* kept = rows_.Append(columns, row);
  entries_.back() = {comparator_.Prefix(kept), kept};
  std::push_heap(entries_.begin(), entries_.end(), less);
  // Rows pushed out stay in the arena: spill when they fill it, as any other sort would.
  if (rows_.bytes() > memory_limit_) SpillRun();
}

void Sorter::SortEntries() {
  std::stable_sort(entries_.begin(), entries_.end(), [this](auto& a, auto& b) { return Less(a, b); });
}

void Sorter::SpillRun() {
  SortEntries();
  Run run;
  run.file = std::make_unique<SpillFile>();
  std::string record;
  for (const Entry& entry : entries_) {
    record.clear();
    rows_.layout().SerializeRow(entry.row, &record);
    run.file->Append(record);
  }
  run.file->Rewind();
  entries_.clear();
  rows_.Clear();
  runs_.push_back(std::move(run));
  MergeFullLevels();
}

void Sorter::MergeFullLevels() {
  for (;;) {
    size_t first = runs_.size() - 1;
    while (first > 0 && runs_[first - 1].level == runs_.back().level) --first;
    if (runs_.size() - first < merge_runs_) return;
    MergeLast(runs_.size() - first);
  }
}

void Sorter::MergeLast(size_t count) {
  size_t first = runs_.size() - count;
  Run all;
  all.file = std::make_unique<SpillFile>();
  all.level = runs_.back().level + 1;
  std::string record;
  StartMerge(first);
  while (Run* next = PopRun()) {
    record.clear();
    rows_.layout().SerializeRow(next->head.row, &record);
    all.file->Append(record);
    GiveBack(next);
  }
  all.file->Rewind();
  runs_.resize(first);
  runs_.push_back(std::move(all));
}

void Sorter::Finish() {
  position_ = 0;
  if (runs_.empty()) {
    SortEntries();
    return;
  }
  if (!entries_.empty()) SpillRun();
  for (const Run& run : runs_) spilled_bytes_ += run.file->bytes();
  // The last ones are the smallest.
  while (runs_.size() > merge_runs_) MergeLast(std::min(merge_runs_, runs_.size() - merge_runs_ + 1));
  StartMerge(0);
}

bool Sorter::AdvanceRun(Run* run) {
  std::string_view record;
  if (!run->file->Read(&record)) return false;
  run->rows->Clear();
  size_t consumed;
  run->head.row = run->rows->AppendSerialized(record.data(), &consumed);
  run->head.prefix = comparator_.Prefix(run->head.row);
  return true;
}

void Sorter::StartMerge(size_t first) {
  heap_.clear();
  for (Run& run : std::span(runs_).subspan(first)) {
    run.file->Rewind();
    run.rows = std::make_unique<RowContainer>(rows_.layout(), &account_);
    if (AdvanceRun(&run)) heap_.push_back(&run);
  }
  std::make_heap(heap_.begin(), heap_.end(), [this](Run* a, Run* b) { return ComesAfter(*a, *b); });
}

// Of equal rows those of the earlier run come first, so that the order is that of a sort in memory.
bool Sorter::ComesAfter(const Run& a, const Run& b) const {
  if (Less(b.head, a.head)) return true;
  return &b < &a && !Less(a.head, b.head);
}

Sorter::Run* Sorter::PopRun() {
  if (heap_.empty()) return nullptr;
  std::pop_heap(heap_.begin(), heap_.end(), [this](Run* a, Run* b) { return ComesAfter(*a, *b); });
  Run* run = heap_.back();
  heap_.pop_back();
  return run;
}

void Sorter::GiveBack(Run* run) {
  if (!AdvanceRun(run)) return;
  heap_.push_back(run);
  std::push_heap(heap_.begin(), heap_.end(), [this](Run* a, Run* b) { return ComesAfter(*a, *b); });
}

uint32_t Sorter::Next(std::span<Vector* const> columns, uint32_t max_rows) {
  return runs_.empty() ? NextFromMemory(columns, max_rows) : NextFromRuns(columns, max_rows);
}

uint32_t Sorter::NextFromMemory(std::span<Vector* const> columns, uint32_t max_rows) {
  uint32_t n = static_cast<uint32_t>(std::min<size_t>({max_rows, kBatchRows, entries_.size() - position_}));
  const char* rows[kBatchRows];
  for (uint32_t i = 0; i < n; ++i) rows[i] = entries_[position_ + i].row;
  position_ += n;
  GatherRows(rows_.layout(), rows, n, 0, columns);
  return n;
}

uint32_t Sorter::NextFromRuns(std::span<Vector* const> columns, uint32_t max_rows) {
  const char* rows[kBatchRows];
  uint32_t n = 0;
  output_.Clear();
  std::string record;
  while (n < max_rows && n < kBatchRows) {
    Run* run = PopRun();
    if (run == nullptr) break;
    record.clear();
    rows_.layout().SerializeRow(run->head.row, &record);
    size_t consumed;
    rows[n++] = output_.AppendSerialized(record.data(), &consumed);
    GiveBack(run);
  }
  GatherRows(rows_.layout(), rows, n, 0, columns);
  return n;
}

void Sorter::Rewind() {
  position_ = 0;
  if (!runs_.empty()) StartMerge(0);
}

Sorter::Method Sorter::method() const {
  if (!runs_.empty()) return Method::kExternalMerge;
  return row_limit_ != 0 && entries_.size() >= row_limit_ ? Method::kTopN : Method::kQuicksort;
}

size_t Sorter::space_bytes() const {
  return runs_.empty() ? static_cast<size_t>(account_.peak_bytes()) : spilled_bytes_;
}

}  // namespace walden
