// The data directory that a command is about to fill.
#pragma once

#include <string>

namespace walden {

// Throws for root, who must not own a data directory.
void RefuseRoot();

class NewDirectory {
 public:
  // Made, or empty and ours alone. Throws 58P02 if it holds anything.
  explicit NewDirectory(const std::string& path);
  // After a failure: as it was before.
  void Undo() noexcept;

 private:
  std::string path_;
  bool made_ = false;
};

}  // namespace walden
