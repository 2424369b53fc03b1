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
  // One that is half filled: as it is.
  static NewDirectory HalfFilled(const std::string& path) { return NewDirectory(path, {}); }
  // After a failure: as it was before.
  void Undo() noexcept;

 private:
  struct AsItIs {};
  NewDirectory(const std::string& path, AsItIs) : path_(path) {}
  std::string path_;
  bool made_ = false;
};

}  // namespace walden
