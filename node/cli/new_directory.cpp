#include "node/cli/new_directory.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "node/base/error.h"
#include "node/os/file.h"

namespace walden {

void RefuseRoot() {
  if (geteuid() != 0) return;
  throw SqlError(ErrorCode::kInsufficientPrivilege, "cannot be run as root")
      .WithHint(
          "Please log in (using, e.g., \"su\") as the (unprivileged) user that will own the server "
          "process.");
}

NewDirectory::NewDirectory(const std::string& path) : path_(path) {
  if (!PathExists(path)) {
    MakeDirectories(path);
    made_ = true;
    return;
  }
  for (const std::string& name : ListDirectory(path)) {
    if (name == "lost+found" || name.starts_with('.')) continue;
    throw SqlError(ErrorCode::kDuplicateFile, "directory \"{}\" exists but is not empty", path)
        .WithHint(
            "If you want to create a new node, either remove or empty the directory or use another one.");
  }
  if (chmod(path.c_str(), kPrivateDirectoryMode) < 0) {
    throw FileError(errno, fmt::format("could not change permissions of directory \"{}\"", path));
  }
}

void NewDirectory::Undo() noexcept {
  try {
    if (made_) return RemoveTree(path_);
    for (const std::string& name : ListDirectory(path_)) {
      if (name != "lost+found") RemoveTree(path_ + "/" + name);
    }
  } catch (const SqlError& error) {
    fmt::print(stderr, "could not clean up \"{}\": {}\n", path_, error.what());
  }
}

}  // namespace walden
