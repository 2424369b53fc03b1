#include "node/cli/progress.h"

#include <fmt/format.h>

#include <cstdio>

#include "node/base/clock.h"

namespace walden {

void Progress::Advance(uint64_t bytes) {
  done_ += bytes;
  if (!shown_ || MonotonicUs() - drawn_us_ < 100000) return;
  Draw();
}

void Progress::At(uint64_t done, uint64_t total) {
  total_ = total;
  done_ = 0;
  Advance(done);
}

void Progress::Finish() {
  if (!shown_) return;
  Draw();
  std::fputc('\n', stderr);
}

void Progress::Draw() {
  drawn_us_ = MonotonicUs();
  constexpr int kWidth = 30;
  double share = total_ == 0 ? 1.0 : std::min(1.0, static_cast<double>(done_) / static_cast<double>(total_));
  int filled = static_cast<int>(share * kWidth);
  fmt::print(stderr, "\r{} [{}{}] {:3.0f} % {}/{} MB", label_, std::string(static_cast<size_t>(filled), '#'),
             std::string(static_cast<size_t>(kWidth - filled), '.'), share * 100, done_ >> 20, total_ >> 20);
  std::fflush(stderr);
}

}  // namespace walden
