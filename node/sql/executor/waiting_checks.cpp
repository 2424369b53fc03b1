#include "node/sql/executor/waiting_checks.h"

#include <algorithm>

#include "node/base/bytes.h"
#include "node/base/check.h"
#include "node/shm/interrupts.h"

namespace walden {
namespace {

constexpr size_t kNumberBytes = sizeof(uint32_t);  // a record begins with its constraint's number

}  // namespace

void WaitingChecks::Add(uint32_t constraint, std::string_view check, int level) {
  DCHECK(levels_.empty() || levels_.back().level <= level);
  if (levels_.empty() || levels_.back().level < level) levels_.push_back({level, log_.end()});
  if (constraint >= made_.size()) made_.resize(constraint + 1);
  record_.assign(reinterpret_cast<const char*>(&constraint), kNumberBytes);
  record_.append(check);
  log_.Append(record_);
}

int WaitingChecks::MadeIn(uint32_t constraint, uint64_t place) const {
  for (const Range& range : made_[constraint]) {
    if (place >= range.begin && place < range.end) return range.level;
  }
  return 0;
}

int WaitingChecks::LevelOf(uint64_t place) const {
  auto after = std::find_if(levels_.begin(), levels_.end(), [&](const Level& l) { return l.begin > place; });
  return std::prev(after)->level;
}

// Ranges that touch become one: a transaction of many statements makes checks at the end of each.
void WaitingChecks::MarkMade(uint32_t constraint, Range range) {
  std::vector<Range>& ranges = made_[constraint];
  if (!ranges.empty() && ranges.back().level == range.level && range.begin <= ranges.back().end) {
    ranges.back().begin = std::min(ranges.back().begin, range.begin);
    ranges.back().end = range.end;
  } else {
    ranges.push_back(range);
  }
}

void WaitingChecks::Make(uint64_t from, const std::function<bool(uint32_t)>& matches, int level,
                         const std::function<void(uint32_t, std::string_view)>& make) {
  uint64_t keep = from;
  std::vector<bool> is_made(made_.size());
  for (uint64_t place = from; place < log_.end();) {
    CheckInterrupts();
    uint64_t begin = place;
    std::string_view record = log_.Read(&place);
    uint32_t constraint = Load<uint32_t>(record.data());
    int made_in = MadeIn(constraint, begin);
    if (made_in == 0 && matches(constraint)) {
      make(constraint, record.substr(kNumberBytes));
      is_made[constraint] = true;
      made_in = level;
    }
    if (made_in == 0 || made_in > LevelOf(begin)) keep = place;
  }
  for (uint32_t constraint = 0; constraint < is_made.size(); ++constraint) {
    if (is_made[constraint]) MarkMade(constraint, {from, log_.end(), level});
  }
  CutBack(keep);
}

bool WaitingChecks::AnyWaiting(const std::function<bool(uint32_t)>& matches) {
  for (uint64_t place = 0; place < log_.end();) {
    uint64_t begin = place;
    uint32_t constraint = Load<uint32_t>(log_.Read(&place).data());
    if (matches(constraint) && MadeIn(constraint, begin) == 0) return true;
  }
  return false;
}

void WaitingChecks::EndSavepoint(int level) {
  while (!levels_.empty() && levels_.back().level >= level) {
    Level ended = {level - 1, levels_.back().begin};
    levels_.pop_back();
    if (levels_.empty() || levels_.back().level < ended.level) levels_.push_back(ended);
  }
  for (std::vector<Range>& ranges : made_) {
    for (Range& range : ranges) range.level = std::min(range.level, level - 1);
  }
}

void WaitingChecks::UndoSavepoint(int level) {
  for (std::vector<Range>& ranges : made_)
    std::erase_if(ranges, [&](const Range& range) { return range.level >= level; });
  auto undone =
      std::find_if(levels_.begin(), levels_.end(), [&](const Level& l) { return l.level >= level; });
  if (undone != levels_.end()) CutBack(undone->begin);
}

void WaitingChecks::CutBack(uint64_t place) {
  if (place == log_.end()) return;
  log_.CutBack(place);
  while (!levels_.empty() && levels_.back().begin >= place) levels_.pop_back();
  for (std::vector<Range>& ranges : made_) {
    std::erase_if(ranges, [&](const Range& range) { return range.begin >= place; });
    for (Range& range : ranges) range.end = std::min(range.end, place);
  }
}

}  // namespace walden
