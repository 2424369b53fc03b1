// A progress bar on standard error, for commands that take long. Silent unless asked for, or when it is no
// terminal.
#pragma once

#include <cstdint>
#include <string>

namespace walden {

class Progress {
 public:
  Progress(std::string label, bool shown) : label_(std::move(label)), shown_(shown) {}
  void AddTotal(uint64_t bytes) { total_ += bytes; }
  // Where it stands now, which may be less than before.
  void At(uint64_t done, uint64_t total);
  void Advance(uint64_t bytes);
  void Finish();

 private:
  void Draw();
  std::string label_;
  bool shown_;
  uint64_t total_ = 0, done_ = 0;
  int64_t drawn_us_ = 0;
};

}  // namespace walden
