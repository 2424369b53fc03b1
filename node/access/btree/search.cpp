#include "node/access/btree/search.h"

#include "node/access/btree/insert.h"
#include "node/access/counted_read.h"
#include "node/base/error.h"

namespace walden::btree {

namespace {

// Where the root was last seen, per index: spares the meta page. Wrong entries are noticed on the page
// itself.
struct RootCache {
  static constexpr size_t kEntries = 128;
  struct Cached {
    RelFileLocator rel;
    BlockNumber root = kNoBlock;
    uint32_t level = 0;
  };
  Cached entries[kEntries];
  Cached& At(const RelFileLocator& rel) { return entries[(rel.number * 2654435761u >> 7) % kEntries]; }
};
thread_local RootCache root_cache;

void Lock(BufferPin& pin, Access access) {
  if (access == Access::kRead)
    pin.LockShared();
  else
    pin.LockExclusive();
}

// A page alone on its level: whatever has happened since it was noted down, a descent may begin there.
bool IsAloneOnLevel(const char* page, uint32_t level) {
  if (PageIsNew(page) || PageSpecialSize(page) != sizeof(NodeInfo)) return false;
  const NodeInfo* node = Node(page);
  return (node->flags & kDeleted) == 0 && node->level == level && IsRightmost(page) && IsLeftmost(page);
}

// Where descents begin, locked: for writing only if it is a leaf and `access` says so. It may have been split
// already.
BufferPin LockRoot(const IndexDesc& index, Access access) {
  RootCache::Cached& cached = root_cache.At(index.locator);
  if (cached.rel == index.locator && cached.root != kNoBlock) {
    BufferPin pin = ReadPageOf(index, cached.root, ReadMode::kIfExists);
    if (pin) {
      Lock(pin, cached.level == 0 ? access : Access::kRead);
      if (IsAloneOnLevel(pin.page(), cached.level)) return pin;
      pin.Unlock();
    }
  }
  for (;;) {
    MetaInfo meta = ReadMeta(index);
    if (meta.root == kNoBlock) {
      if (access == Access::kRead) return BufferPin();
      CreateRoot(index);
      continue;
    }
    cached = {index.locator, meta.root, meta.level};
    BufferPin pin = LockNode(index, meta.root, meta.level == 0 ? access : Access::kRead);
    if (!IsDeleted(pin.page()) && Node(pin.page())->level == meta.level) return pin;
    ThrowCorrupted(index, meta.root, "has no root");
  }
}

}  // namespace

MetaInfo ReadMeta(const IndexDesc& index) {
  BufferPin pin = ReadPageOf(index, kMetaBlock);
  PageLock lock(pin, PageLockMode::kShared);
  MetaInfo meta = *Meta(pin.page());
  if (PageIsNew(pin.page()) || meta.magic != kMagic) {
    throw SqlError(ErrorCode::kIndexCorrupted, "index \"{}\" is not a btree", index.name);
  }
  if (meta.version != kVersion) {
    throw SqlError(ErrorCode::kIndexCorrupted,
                   "version mismatch in index \"{}\": file version {}, current version {}", index.name,
                   meta.version, kVersion);
  }
  return meta;
}

BufferPin LockNode(const IndexDesc& index, BlockNumber block, Access access) {
  BufferPin pin = ReadPageOf(index, block);
  Lock(pin, access);
  CheckNode(index, pin.page(), block);
  return pin;
}

// Order of the key against the entry, from the first column alone when that is an ascending integer that
// differs: most steps of a binary search.
template <class T>
class FirstColumn {
 public:
  FirstColumn(const IndexDesc& index, const SearchKey& key, T value)
      : index_(index), key_(key), value_(value) {}
  int operator()(const Entry& entry) const {
    uint16_t info = entry.info();
    if ((info & kInfoNulls) == 0 && (info & kInfoColumns) != 0) {
      T stored = Load<T>(entry.data + kEntryHeaderSize);
      if (value_ != stored) return value_ < stored ? -1 : 1;
    }
    return CompareKey(index_, key_, entry);
  }

 private:
  const IndexDesc& index_;
  const SearchKey& key_;
  T value_;
};

template <class Compare>
OffsetNumber Bisect(const char* page, const SearchKey& key, Compare compare) {
  OffsetNumber low = FirstData(page);
  OffsetNumber high = static_cast<OffsetNumber>(PageMaxOffset(page) + 1);
  bool leaf = IsLeaf(page);
  // The first inner entry is minus infinity.
  if (!leaf) ++low;
  int bound = key.next_key ? 0 : 1;
  while (low < high) {
    OffsetNumber middle = static_cast<OffsetNumber>(low + (high - low) / 2);
    if (compare(EntryAt(page, middle)) >= bound)
      low = static_cast<OffsetNumber>(middle + 1);
    else
      high = middle;
  }
  return leaf ? low : static_cast<OffsetNumber>(low - 1);
}

OffsetNumber FindOnPage(const IndexDesc& index, const SearchKey& key, const char* page) {
  const IndexKeyColumn& first = index.keys[0];
  bool plain = key.count > 0 && !first.descending && !key.values[0].is_null &&
               (key.compares == nullptr || key.compares[0] == nullptr);
  if (plain) {
    const Datum& value = key.values[0].datum;
    switch (first.order) {
      case KeyOrder::kInt32: return Bisect(page, key, FirstColumn<int32_t>(index, key, value.i32));
      case KeyOrder::kUint32:
        return Bisect(page, key, FirstColumn<uint32_t>(index, key, static_cast<uint32_t>(value.i32)));
      case KeyOrder::kInt64: return Bisect(page, key, FirstColumn<int64_t>(index, key, value.i64));
      default: break;
    }
  }
  return Bisect(page, key, [&](const Entry& entry) { return CompareKey(index, key, entry); });
}

void MoveRight(const IndexDesc& index, const SearchKey& key, Access access, const Descent* descent,
               BufferPin* pin) {
  int bound = key.next_key ? 0 : 1;
  for (;;) {
    char* page = pin->page();
    if (IsRightmost(page)) {
      if (IsDeleted(page)) ThrowCorrupted(index, pin->block(), "fell off the end");
      return;
    }
    if (access == Access::kWrite && IsIncomplete(page)) {
      BlockNumber block = pin->block();
      FinishSplit(index, std::move(*pin), descent);
      *pin = LockNode(index, block, access);
      continue;
    }
    if (!IsDeleted(page) && CompareKey(index, key, EntryAt(page, kHighKey)) < bound) return;
    BlockNumber right = Node(page)->right;
    pin->Unlock();
    *pin = LockNode(index, right, access);
  }
}

BufferPin FindLeaf(const IndexDesc& index, const SearchKey& key, Access access, Descent* descent) {
  if (descent != nullptr) descent->clear();
  BufferPin pin = LockRoot(index, access);
  if (!pin) return pin;
  Access here = IsLeaf(pin.page()) ? access : Access::kRead;
  for (;;) {
    // Incomplete splits of inner pages are finished too, with the lock that it takes.
    if (here == Access::kRead && access == Access::kWrite && IsIncomplete(pin.page())) {
      BlockNumber block = pin.block();
      pin.Unlock();
      pin = LockNode(index, block, Access::kWrite);
      MoveRight(index, key, Access::kWrite, descent, &pin);
      pin.Unlock();
      pin = LockNode(index, pin.block(), Access::kRead);
    }
    MoveRight(index, key, here, descent, &pin);
    char* page = pin.page();
    if (IsLeaf(page)) return pin;
    OffsetNumber offset = FindOnPage(index, key, page);
    BlockNumber child = EntryAt(page, offset).child();
    uint32_t child_level = Node(page)->level - 1;
    if (descent != nullptr) descent->push_back({pin.block(), offset});
    pin.Unlock();
    here = child_level == 0 ? access : Access::kRead;
    pin = LockNode(index, child, here);
    if (Node(pin.page())->level != child_level)
      ThrowCorrupted(index, child, "has a child of the wrong level");
  }
}

BufferPin FindEdge(const IndexDesc& index, bool rightmost, uint32_t level) {
  BufferPin pin = LockRoot(index, Access::kRead);
  if (!pin) return pin;
  if (Node(pin.page())->level < level) {
    pin.Unlock();
    return BufferPin();
  }
  for (;;) {
    char* page = pin.page();
    BlockNumber next;
    if (IsDeleted(page) || (rightmost && !IsRightmost(page))) {
      next = Node(page)->right;
    } else if (Node(page)->level == level) {
      return pin;
    } else {
      next = EntryAt(page, rightmost ? PageMaxOffset(page) : FirstData(page)).child();
    }
    pin.Unlock();
    pin = LockNode(index, next, Access::kRead);
  }
}

}  // namespace walden::btree
