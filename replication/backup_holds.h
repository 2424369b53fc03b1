// What the node keeps for base backups that may be resumed: a replication slot each, which holds the WAL from before the
// backup's start. It outlives a broken connection and a restart of the node by an hour, then it goes. Only the node that
// began a backup has its slot, so the slot is also the proof that a resumed backup has come to the right node.
// Main thread of the walsender.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace walden::replication {

class BackupHolds {
 public:
  class User {
   public:
    virtual ~User() = default;
    // Another call goes on with the backup: this one is what a broken connection left.
    virtual void LoseHold() = 0;
  };

  // Adopts what an earlier process left.
  explicit BackupHolds(int64_t now_us);
  // A new one; "" where slots are not allowed. Throws 53400.
  std::string Make(User* user);
  // That of an earlier call. Throws 55000 when it is gone, or has lost its WAL.
  void Take(const std::string& name, User* user);
  // The call is over; the slot stays for who comes back.
  void Leave(const std::string& name, const User* user, int64_t now_us);
  void Drop(const std::string& name) noexcept;
  void Expire(int64_t now_us);
  int64_t Deadline() const;

 private:
  struct Hold {
    User* user = nullptr;
    int slot = -1;  // handle while it is used
    int64_t expires_us = INT64_MAX;
  };
  std::map<std::string, Hold> holds_;
};

}  // namespace walden::replication
