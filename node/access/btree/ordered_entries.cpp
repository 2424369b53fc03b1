#include "node/access/btree/ordered_entries.h"

#include <cstring>

#include "node/access/deform.h"
#include "node/base/bytes.h"

namespace walden::btree {

namespace {

uint32_t IntegerBytes(const IndexDesc& index) {
  if (index.desc->size() != 1) return 0;
  switch (index.keys[0].order) {
    case KeyOrder::kInt16: return 2;
    case KeyOrder::kInt32:
    case KeyOrder::kUint32: return 4;
    case KeyOrder::kInt64: return 8;
    default: return 0;
  }
}

// Seven bits a byte, lowest first; the top bit says that more follow.
char* PutNumber(char* to, uint64_t number) {
  for (; number >= 0x80; number >>= 7) *to++ = static_cast<char>(number | 0x80);
  *to++ = static_cast<char>(number);
  return to;
}

uint64_t TakeNumber(const char** from) {
  uint64_t number = 0;
  for (int shift = 0;; shift += 7) {
    uint64_t byte = static_cast<unsigned char>(*(*from)++);
    number |= (byte & 0x7f) << shift;
    if (byte < 0x80) return number;
  }
}

// Small numbers of either sign as small ones without.
uint64_t Fold(int64_t number) {
  return static_cast<uint64_t>(number) << 1 ^ static_cast<uint64_t>(number >> 63);
}
int64_t Unfold(uint64_t folded) { return static_cast<int64_t>(folded >> 1 ^ (~(folded & 1) + 1)); }

}  // namespace

OrderedEntries::OrderedEntries(const IndexDesc& index)
    : index_(index),
      value_bytes_(IntegerBytes(index)),
      entry_size_(static_cast<uint32_t>(kEntryHeaderSize) + value_bytes_) {
  Store<uint16_t>(entry_ + 6, 1);  // one column, not null
}

bool OrderedEntries::Add(const Entry& entry, int64_t prefix, bool alive) {
  if (value_bytes_ == 0 || (entry.info() & kInfoNulls) != 0) return false;
  int64_t tid = TidToInt64(entry.tid());
  if (!blocks_.empty() && (prefix < last_.prefix || (prefix == last_.prefix && tid <= last_.tid)))
    return false;
  if (blocks_.empty() || blocks_.back().used + kMostBytesEach > kBlockBytes)
    blocks_.push_back({std::make_unique_for_overwrite<char[]>(kBlockBytes), 0});
  Block& block = blocks_.back();
  char* to = block.bytes.get() + block.used;
  to = PutNumber(to, static_cast<uint64_t>(prefix) - static_cast<uint64_t>(last_.prefix));
  to = PutNumber(to, Fold(tid - last_.tid) << 1 | (alive ? 1 : 0));
  block.used = static_cast<uint32_t>(to - block.bytes.get());
  last_ = {prefix, tid};
  return true;
}

bool OrderedEntries::Next() {
  if (block_ < blocks_.size() && offset_ == blocks_[block_].used) {
    blocks_[block_].bytes.reset();
    ++block_;
    offset_ = 0;
  }
  if (block_ == blocks_.size()) return false;
  const char* start = blocks_[block_].bytes.get();
  const char* from = start + offset_;
  at_.prefix = static_cast<int64_t>(static_cast<uint64_t>(at_.prefix) + TakeNumber(&from));
  uint64_t rest = TakeNumber(&from);
  at_.tid += Unfold(rest >> 1);
  alive_ = (rest & 1) != 0;
  offset_ = static_cast<uint32_t>(from - start);
  int64_t value = index_.keys[0].descending ? ~at_.prefix : at_.prefix;
  std::memcpy(entry_ + kEntryHeaderSize, &value, value_bytes_);
  StoreTid(entry_, TidFromInt64(at_.tid));
  return true;
}

}  // namespace walden::btree
