#include "node/txn/untold.h"

#include <algorithm>
#include <utility>

#include "node/txn/durability.h"

namespace walden {
namespace {

thread_local constinit SeenGathering* gathering = nullptr;
thread_local constinit Lsn untold;

}  // namespace

SeenGathering::SeenGathering() : is_outer_(gathering == nullptr) {
  if (is_outer_) gathering = this;
}

SeenGathering::~SeenGathering() {
  if (!is_outer_) return;
  gathering = nullptr;
  RaiseSeenLsn(gathered_);
}

void SeenGathering::KeepUntold() { untold = std::max(untold, std::exchange(gathered_, kInvalidLsn)); }

bool GatherSeen(Lsn lsn) {
  if (gathering == nullptr) return false;
  gathering->gathered_ = std::max(gathering->gathered_, lsn);
  return true;
}

SeenAtOnce::SeenAtOnce() : outer_(std::exchange(gathering, nullptr)) {}
SeenAtOnce::~SeenAtOnce() { gathering = outer_; }

void TellContents() {
  SeenGathering* outer = gathering;
  SeenAtOnce at_once;
  if (outer != nullptr) RaiseSeenLsn(std::exchange(outer->gathered_, kInvalidLsn));
  RaiseSeenLsn(std::exchange(untold, kInvalidLsn));
}

void ForgetContents() { untold = kInvalidLsn; }

}  // namespace walden
