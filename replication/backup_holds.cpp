#include "replication/backup_holds.h"

#include <algorithm>
#include <string_view>

#include "node/base/error.h"
#include "node/base/log.h"
#include "node/base/random.h"
#include "node/config/settings.h"
#include "node/recovery/replication_slots.h"

namespace walden::replication {
namespace {

constexpr std::string_view kPrefix = "walden_basebackup_";
constexpr size_t kDigits = 16;
constexpr int64_t kPatienceUs = int64_t{3600} * 1000000;

bool IsHold(std::string_view name) {
  return name.starts_with(kPrefix) && name.size() == kPrefix.size() + kDigits &&
         name.find_first_not_of("0123456789abcdef", kPrefix.size()) == std::string_view::npos;
}

}  // namespace

BackupHolds::BackupHolds(int64_t now_us) {
  for (const ReplicationSlotInfo& slot : ListReplicationSlots()) {
    if (IsHold(slot.name)) holds_[slot.name].expires_us = now_us + kPatienceUs;
  }
}

std::string BackupHolds::Make(User* user) {
  if (GetInt(Setting::kMaxReplicationSlots) == 0) return "";
  uint64_t id;
  SecureRandom(&id, sizeof id);
  std::string name = fmt::format("{}{:016x}", kPrefix, id);
  CreateReplicationSlot(name, true, false);
  holds_[name] = {user, AcquireReplicationSlot(name), INT64_MAX};
  return name;
}

void BackupHolds::Take(const std::string& name, User* user) {
  auto refuse = [](std::string_view why) {
    return SqlError(ErrorCode::kObjectNotInPrerequisiteState, "the base backup cannot be resumed")
        .WithDetail(std::string(why))
        .WithHint("Take a new base backup.");
  };
  if (!IsHold(name)) throw refuse("It names no slot of a base backup.");
  for (const ReplicationSlotInfo& slot : ListReplicationSlots()) {
    if (slot.name == name && slot.wal == SlotWal::kLost)
      throw refuse("WAL from its start on has been removed (max_slot_wal_keep_size).");
  }
  auto found = holds_.find(name);
  if (found == holds_.end())
    throw refuse("It began on another node, or this node has given up waiting for it.");
  Hold& hold = found->second;
  if (hold.user != nullptr) {
    hold.user->LoseHold();
  } else {
    try {
      hold.slot = AcquireReplicationSlot(name);
    } catch (const SqlError& error) {
      if (error.code() == ErrorCode::kUndefinedObject) holds_.erase(found);
      throw refuse(error.fields().message);
    }
  }
  hold.user = user;
  hold.expires_us = INT64_MAX;
}

void BackupHolds::Leave(const std::string& name, const User* user, int64_t now_us) {
  auto found = holds_.find(name);
  if (found == holds_.end() || found->second.user != user) return;
  ReleaseReplicationSlot(found->second.slot);
  found->second = {nullptr, -1, now_us + kPatienceUs};
}

void BackupHolds::Drop(const std::string& name) noexcept {
  auto found = holds_.find(name);
  if (found == holds_.end()) return;
  if (found->second.slot >= 0) ReleaseReplicationSlot(found->second.slot);
  holds_.erase(found);
  try {
    DropReplicationSlot(name);
  } catch (const SqlError& error) {
    if (error.code() != ErrorCode::kUndefinedObject) EmitLog(error.fields());
  }
}

void BackupHolds::Expire(int64_t now_us) {
  while (Deadline() <= now_us) {
    auto due = std::min_element(holds_.begin(), holds_.end(), [](const auto& a, const auto& b) {
      return a.second.expires_us < b.second.expires_us;
    });
    std::string name = due->first;
    Log(Severity::kLog, "nobody came back for a broken base backup: replication slot \"{}\" is dropped",
        name);
    Drop(name);
  }
}

int64_t BackupHolds::Deadline() const {
  int64_t deadline = INT64_MAX;
  for (const auto& [name, hold] : holds_) deadline = std::min(deadline, hold.expires_us);
  return deadline;
}

}  // namespace walden::replication
