#include "node/sql/executor/window_frame.h"

#include <algorithm>

#include "node/base/check.h"
#include "node/catalog/builtin.h"

namespace walden {
namespace {

constexpr uint32_t kPiece = 256;

bool Has(const WindowClause& clause, int32_t option) { return (clause.frame_options & option) != 0; }

const ScalarFunction* InRangeFunction(Oid function) {
  const BuiltinFunction* row = IsValid(function) ? FindBuiltinFunction(function) : nullptr;
  return row == nullptr ? nullptr : FindScalar(row->source.empty() ? row->name : row->source);
}

}  // namespace

WindowCursor::WindowCursor(RowStore* store) : reader_(store) {
  for (PhysicalType type : store->types()) vectors_.push_back(std::make_unique<Vector>(type));
  for (auto& vector : vectors_) pointers_.push_back(vector.get());
}

uint32_t WindowCursor::Locate(size_t row) {
  if (row < first_ || row >= first_ + count_) {
    // Walking backwards: read the piece that ends here.
    bool backwards = count_ > 0 && row < first_;
    first_ = backwards && row + 1 > kPiece ? row + 1 - kPiece : backwards ? 0 : row;
    reader_.Seek(first_);
    count_ = reader_.Read(pointers_, kPiece);
    // A piece ends where the rows in memory do.
    while (row >= first_ + count_) {
      first_ += count_;
      reader_.Seek(first_);
      count_ = reader_.Read(pointers_, kPiece);
      CHECK(count_ > 0);
    }
  }
  return static_cast<uint32_t>(row - first_);
}

PeerGroups::PeerGroups(RowStore* store, const std::vector<SortKey>& keys, MemoryAccount* account)
    : store_(store), keys_(keys), cursor_(store), first_row_(RowLayout(store->types()), account) {}

void PeerGroups::Start() {
  cursor_.Reset();
  start_ = 0;
  index_ = 0;
  FindEnd();
}

void PeerGroups::Next() {
  start_ = end_;
  ++index_;
  FindEnd();
}

void PeerGroups::FindEnd() {
  size_t rows = store_->size();
  if (start_ >= rows || keys_.empty()) {
    end_ = rows;
    return;
  }
  first_row_.Clear();
  char* first = first_row_.Append(cursor_.columns(), cursor_.Locate(start_));
  for (end_ = start_ + 1; end_ < rows; ++end_) {
    uint32_t place = cursor_.Locate(end_);
    for (const SortKey& key : keys_) {
      if (CompareBySortKey(key, first_row_.layout().Get(first, key.column),
                           cursor_.columns()[key.column]->Get(place)) != 0)
        return;
    }
  }
}

WindowFrame::WindowFrame(const WindowClause& clause, RowStore* store, const std::vector<SortKey>& order,
                         MemoryAccount* account)
    : clause_(clause),
      store_(store),
      order_(order),
      peers_(store, order, account),
      start_groups_(store, order, account),
      end_groups_(store, order, account),
      current_(store),
      start_cursor_(store),
      end_cursor_(store),
      start_in_range_(InRangeFunction(clause.start_in_range_func)),
      end_in_range_(InRangeFunction(clause.end_in_range_func)) {
  auto prepare = [&](Oid function, CallSite* site) {
    if (!IsValid(function)) return;
    const BuiltinFunction* row = FindBuiltinFunction(function);
    site->function = function;
    site->result_type = type_oid::kBool;
    site->collation = clause.in_range_coll;
    site->arg_types = row->arg_types();
  };
  prepare(clause.start_in_range_func, &start_site_);
  prepare(clause.end_in_range_func, &end_site_);
}

void WindowFrame::Start(EvalContext& context, const Value& start_offset, const Value& end_offset) {
  context_ = &context;
  start_offset_ = start_offset;
  end_offset_ = end_offset;
  for (WindowCursor* cursor : {&current_, &start_cursor_, &end_cursor_}) cursor->Reset();
  peers_.Start();
  if (Has(clause_, frame_option::kGroups)) {
    start_groups_.Start();
    end_groups_.Start();
  }
  frame_ = {};
  row_ = 0;
}

void WindowFrame::MoveTo(size_t row) {
  row_ = row;
  while (row >= peers_.end()) peers_.Next();
  frame_.begin = FindStart();
  frame_.end = FindEnd();
  frame_.end = std::max(frame_.begin, frame_.end);
  Exclude();
}

// The row `offset` rows away from the current one; as an end, the row after it. Outside of the partition: its edge.
size_t WindowFrame::OffsetRow(int64_t offset, bool following, bool is_end) const {
  size_t rows = store_->size();
  size_t here = row_ + (is_end ? 1 : 0);
  size_t distance = static_cast<size_t>(offset);
  if (following) return distance > rows - here ? rows : here + distance;
  return distance > here ? 0 : here - distance;
}

// The first row of the group `offset` groups away; as an end, the row after that group.
size_t WindowFrame::GroupBound(PeerGroups* groups, int64_t offset, bool following, bool is_end) {
  int64_t wanted = peers_.index();
  if (following) {
    wanted = offset > INT64_MAX - wanted ? INT64_MAX : wanted + offset;
  } else {
    wanted -= offset;
  }
  if (wanted < 0) return 0;
  while (!groups->AtEnd() && groups->index() < wanted) groups->Next();
  if (groups->AtEnd()) return store_->size();
  return is_end ? groups->end() : groups->start();
}

bool WindowFrame::InRange(const ScalarFunction& test, CallSite& site, const Value& value, const Value& base,
                          const Value& offset, bool sub, bool less) {
  CallContext call{*context_->arena, *context_->format, context_->session, site};
  Value flags[2];
  flags[0].is_null = flags[1].is_null = false;
  flags[0].datum.b = sub;
  flags[1].datum.b = less;
  Value args[] = {value, base, offset, flags[0], flags[1]};
  Value result = CallScalar(test, call, args);
  return !result.is_null && result.datum.b;
}

size_t WindowFrame::RangeStart() {
  size_t at = frame_.begin;
  bool sub = Has(clause_, frame_option::kStartOffsetPreceding), less = false;
  if (!clause_.in_range_asc) {
    sub = !sub;
    less = true;
  }
  uint32_t column = order_[0].column;
  Value current = current_.Get(row_, column);
  for (; at < store_->size(); ++at) {
    Value head = start_cursor_.Get(at, column);
    if (head.is_null || current.is_null) {
      // Nulls stand together at one end: only they are in range of each other.
      bool advance =
          clause_.in_range_nulls_first ? head.is_null && !current.is_null : !head.is_null && current.is_null;
      if (!advance) break;
    } else if (InRange(*start_in_range_, start_site_, head, current, start_offset_, sub, less)) {
      break;
    }
  }
  return at;
}

size_t WindowFrame::RangeEnd() {
  size_t at = frame_.end;
  bool sub = Has(clause_, frame_option::kEndOffsetPreceding), less = true;
  if (!clause_.in_range_asc) {
    sub = !sub;
    less = false;
  }
  uint32_t column = order_[0].column;
  Value current = current_.Get(row_, column);
  for (; at < store_->size(); ++at) {
    Value tail = end_cursor_.Get(at, column);
    if (tail.is_null || current.is_null) {
      bool advance = clause_.in_range_nulls_first ? tail.is_null : current.is_null;
      if (!advance) break;
    } else if (!InRange(*end_in_range_, end_site_, tail, current, end_offset_, sub, less)) {
      break;
    }
  }
  return at;
}

size_t WindowFrame::FindStart() {
  if (Has(clause_, frame_option::kStartUnboundedPreceding)) return 0;
  bool following = Has(clause_, frame_option::kStartOffsetFollowing);
  if (Has(clause_, frame_option::kRows)) {
    if (Has(clause_, frame_option::kStartCurrentRow)) return row_;
    return OffsetRow(start_offset_.datum.i64, following, false);
  }
  if (Has(clause_, frame_option::kStartCurrentRow)) return peers_.start();
  if (Has(clause_, frame_option::kGroups))
    return GroupBound(&start_groups_, start_offset_.datum.i64, following, false);
  return RangeStart();
}

size_t WindowFrame::FindEnd() {
  if (Has(clause_, frame_option::kEndUnboundedFollowing)) return store_->size();
  bool following = Has(clause_, frame_option::kEndOffsetFollowing);
  if (Has(clause_, frame_option::kRows)) {
    if (Has(clause_, frame_option::kEndCurrentRow)) return row_ + 1;
    return OffsetRow(end_offset_.datum.i64, following, true);
  }
  if (Has(clause_, frame_option::kEndCurrentRow)) return peers_.end();
  if (Has(clause_, frame_option::kGroups))
    return GroupBound(&end_groups_, end_offset_.datum.i64, following, true);
  return RangeEnd();
}

bool WindowFrame::has_exclusion() const {
  return Has(clause_,
             frame_option::kExcludeCurrentRow | frame_option::kExcludeGroup | frame_option::kExcludeTies);
}

void WindowFrame::Exclude() {
  ranges_.clear();
  auto add = [&](size_t begin, size_t end) {
    begin = std::max(begin, frame_.begin);
    end = std::min(end, frame_.end);
    if (begin < end) ranges_.push_back({begin, end});
  };
  if (!has_exclusion()) {
    add(frame_.begin, frame_.end);
    return;
  }
  bool whole_group = !Has(clause_, frame_option::kExcludeCurrentRow);
  size_t out_begin = whole_group ? peers_.start() : row_;
  size_t out_end = whole_group ? peers_.end() : row_ + 1;
  add(0, out_begin);
  if (Has(clause_, frame_option::kExcludeTies)) add(row_, row_ + 1);
  add(out_end, store_->size());
}

bool WindowFrame::RowAt(size_t n, bool from_end, size_t* row) const {
  if (!from_end) {
    for (const RowRange& range : ranges_) {
      if (n < range.end - range.begin) {
        *row = range.begin + n;
        return true;
      }
      n -= range.end - range.begin;
    }
    return false;
  }
  for (auto range = ranges_.rbegin(); range != ranges_.rend(); ++range) {
    if (n < range->end - range->begin) {
      *row = range->end - 1 - n;
      return true;
    }
    n -= range->end - range->begin;
  }
  return false;
}

}  // namespace walden
