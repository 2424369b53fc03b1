// When each background worker is to be started (the postmaster's private knowledge; the registrations
// themselves are in shared memory and read by the worker).
#pragma once

#include <cstdint>
#include <map>

namespace walden {

class WorkerSchedule {
 public:
  struct Entry {
    int64_t start_at_us = 0;
    int32_t restart_delay_s = -1;  // < 0: never again
    bool needs_consistency_only = false;
    bool running = false;
    bool stopping = false;
  };
  std::map<int, Entry>& entries() { return entries_; }

 private:
  std::map<int, Entry> entries_;
};

}  // namespace walden
