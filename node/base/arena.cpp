#include "node/base/arena.h"

#include <algorithm>
#include <cstdlib>

#include "node/base/check.h"
#include "node/base/error.h"

namespace walden {
namespace {

bool clobber_freed_memory = false;
constexpr int kNonsense = 0x7F;

}  // namespace

void ClobberFreedMemory(bool on) { clobber_freed_memory = on; }

MemoryAccount::MemoryAccount(const char* name, MemoryAccount* parent) : name_(name), parent_(parent) {
  if (parent_ != nullptr) parent_->children_.push_back(this);
}

MemoryAccount::~MemoryAccount() {
  // What is still charged here dies with the account; ancestors must not keep counting it.
  if (parent_ == nullptr) return;
  parent_->Charge(-bytes_);
  std::erase(parent_->children_, this);
}

MemoryAccount& ProcessMemory() {
  static MemoryAccount* root = new MemoryAccount("TopMemoryContext");
  return *root;
}

Arena::Arena(MemoryAccount* account, size_t first_block_bytes)
    : account_(account), next_block_bytes_(first_block_bytes) {}

Arena::~Arena() {
  account_->Charge(-static_cast<int64_t>(total_bytes_));
  while (block_ != nullptr) {
    TakeBack(block_);
    std::free(std::exchange(block_, block_->previous));
  }
}

// Its contents are no one's any more.
void Arena::TakeBack(Block* block) {
  size_t bytes = block->size_bytes - sizeof(Block);
  if (clobber_freed_memory) {
    Unpoison(block + 1, bytes);
    std::memset(block + 1, kNonsense, bytes);
  }
  Poison(block + 1, bytes);
}

void Arena::PushBlock(size_t size_bytes) {
  Block* block = static_cast<Block*>(std::malloc(size_bytes));
  if (block == nullptr) {
    throw SqlError(ErrorCode::kOutOfMemory, "out of memory")
        .WithDetail(fmt::format("Failed on request of size {} in memory context \"{}\".", size_bytes,
                                account_->name()));
  }
  block->previous = block_;
  block->size_bytes = size_bytes;
  block_ = block;
  next_ = reinterpret_cast<uintptr_t>(block + 1);
  limit_ = reinterpret_cast<uintptr_t>(block) + size_bytes;
  total_bytes_ += size_bytes;
  account_->Charge(static_cast<int64_t>(size_bytes));
  Poison(block + 1, size_bytes - sizeof(Block));
}

void* Arena::AllocateSlow(size_t bytes, size_t alignment) {
  DCHECK(alignment <= 64);
  size_t wanted = bytes + alignment + sizeof(Block);
  if (wanted < next_block_bytes_) wanted = next_block_bytes_;
  PushBlock(wanted);
  next_block_bytes_ = std::min<size_t>(next_block_bytes_ * 2, 1 << 20);
  uintptr_t start = (next_ + alignment - 1) & ~(alignment - 1);
  next_ = start + bytes;
  Unpoison(reinterpret_cast<void*>(start), bytes);
  return reinterpret_cast<void*>(start);
}

void Arena::Reset() {
  if (block_ == nullptr) return;
  while (block_->previous != nullptr) {
    total_bytes_ -= block_->size_bytes;
    account_->Charge(-static_cast<int64_t>(block_->size_bytes));
    TakeBack(block_);
    std::free(std::exchange(block_, block_->previous));
  }
  next_ = reinterpret_cast<uintptr_t>(block_ + 1);
  limit_ = reinterpret_cast<uintptr_t>(block_) + block_->size_bytes;
  TakeBack(block_);
  // Blocks grow anew: who watches bytes() would find a limit passed by one large block that is hardly used.
  next_block_bytes_ = std::min<size_t>(block_->size_bytes * 2, 1 << 20);
}

}  // namespace walden
