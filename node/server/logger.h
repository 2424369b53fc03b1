// Parts of the logger process: log files with rotation, and entries put together from pipe chunks.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "node/os/file.h"
#include "node/server/log_sink.h"

namespace walden {

class LogFiles {
 public:
  LogFiles();
  // Opens the files of this moment's names.
  void Open(bool may_truncate);
  void Write(uint8_t destination, std::string_view text);
  void RotateIfDue();
  // Until the next rotation by age; -1 without one.
  int64_t SecondsToRotation() const;

 private:
  struct Target {
    uint8_t bit;
    const char* key;
    const char* suffix;
    File file;
    int64_t bytes = 0;
  };
  std::string PathFor(int64_t unix_seconds, const char* suffix) const;
  bool HasFile(uint8_t bit) const;

  Target targets_[3] = {{kLogStderr, "stderr", ".log", {}},
                        {kLogCsv, "csvlog", ".csv", {}},
                        {kLogJson, "jsonlog", ".json", {}}};
  int64_t opened_at_s_ = 0;
};

class LogAssembler {
 public:
  // emit(destination bit, text) for each complete entry, and for bytes that are no chunks.
  void Feed(std::string_view bytes, const std::function<void(uint8_t, std::string_view)>& emit);
  void Flush(const std::function<void(uint8_t, std::string_view)>& emit);

 private:
  std::string buffer_;
  std::map<std::pair<int32_t, uint8_t>, std::string> partial_;
};

}  // namespace walden
