#include "node/os/file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "node/base/check.h"
#include "node/base/error.h"

namespace walden {
namespace {

[[noreturn]] void Fail(int result, std::string_view what, const std::string& path) {
  throw FileError(-result, fmt::format("could not {} \"{}\"", what, path));
}

void Require(int result, std::string_view what, const std::string& path) {
  if (result < 0) Fail(result, what, path);
}

std::string ParentOf(const std::string& path) {
  size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

File& File::operator=(File&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = std::exchange(other.fd_, -1);
    path_ = std::move(other.path_);
  }
  return *this;
}

File File::TryOpen(std::string path, int flags, int* error_number, mode_t mode) {
  File file;
  int fd = fs().Open(path.c_str(), flags, mode);
  while (fd == -EINTR) fd = fs().Open(path.c_str(), flags, mode);
  file.path_ = std::move(path);
  *error_number = fd < 0 ? -fd : 0;
  if (fd >= 0) file.fd_ = fd;
  return file;
}

File File::Open(std::string path, int flags, mode_t mode) {
  int error_number;
  File file = TryOpen(std::move(path), flags, &error_number, mode);
  if (!file.is_open()) {
    throw FileError(error_number, fmt::format("could not {} file \"{}\"",
                                              (flags & O_CREAT) ? "create" : "open", file.path_));
  }
  return file;
}

void File::Close() noexcept {
  if (fd_ >= 0) fs().Close(std::exchange(fd_, -1));
}

size_t File::ReadAt(void* to, size_t bytes, uint64_t offset) const {
  size_t done = 0;
  while (done < bytes) {
    ssize_t got = fs().ReadAt(fd_, static_cast<char*>(to) + done, bytes - done, offset + done);
    if (got == -EINTR) continue;
    if (got < 0) Fail(static_cast<int>(got), "read file", path_);
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

void File::ReadExactlyAt(void* to, size_t bytes, uint64_t offset) const {
  size_t got = ReadAt(to, bytes, offset);
  if (got != bytes) {
    throw SqlError(ErrorCode::kDataCorrupted, "could not read file \"{}\": read {} of {}", path_, got, bytes);
  }
}

void File::WriteAt(const void* from, size_t bytes, uint64_t offset) const {
  size_t done = 0;
  while (done < bytes) {
    ssize_t put = fs().WriteAt(fd_, static_cast<const char*>(from) + done, bytes - done, offset + done);
    if (put == -EINTR) continue;
    if (put == 0) put = -ENOSPC;
    if (put < 0) Fail(static_cast<int>(put), "write to file", path_);
    done += static_cast<size_t>(put);
  }
}

void File::Sync(bool data_only) const { Require(fs().Sync(fd_, data_only), "fsync file", path_); }

void File::SyncOrPanic(bool data_only) const noexcept {
  int result = fs().Sync(fd_, data_only);
  if (result < 0) Panic("could not fsync file \"{}\": {}", path_, std::strerror(-result));
}

void File::Truncate(uint64_t size_bytes) const {
  Require(fs().Truncate(fd_, size_bytes), "truncate file", path_);
}

uint64_t File::Size() const {
  struct stat status;
  Require(fs().StatFd(fd_, &status), "stat file", path_);
  return static_cast<uint64_t>(status.st_size);
}

bool PathExists(const std::string& path) {
  struct stat status;
  int result = fs().Stat(path.c_str(), &status);
  if (result < 0 && result != -ENOENT && result != -ENOTDIR) Fail(result, "stat file", path);
  return result == 0;
}

bool IsDirectory(const std::string& path) {
  struct stat status;
  return fs().Stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

bool TryReadWholeFile(const std::string& path, std::string* content) {
  int error_number;
  File file = File::TryOpen(path, O_RDONLY, &error_number);
  if (error_number == ENOENT) return false;
  if (!file.is_open()) Fail(-error_number, "open file", path);
  content->clear();
  // Files under /proc have size 0: read to the end whatever the size says.
  char buffer[16384];
  while (size_t got = file.ReadAt(buffer, sizeof buffer, content->size())) content->append(buffer, got);
  return true;
}

std::string ReadWholeFile(const std::string& path) {
  std::string content;
  if (!TryReadWholeFile(path, &content)) Fail(-ENOENT, "open file", path);
  return content;
}

void WriteWholeFileDurably(const std::string& path, std::string_view content, mode_t mode) {
  std::string temporary = path + ".tmp";
  File file = File::Open(temporary, O_WRONLY | O_CREAT | O_TRUNC, mode);
  file.WriteAt(content.data(), content.size(), 0);
  file.Sync();
  file.Close();
  RenamePath(temporary, path);
  FsyncDirectory(ParentOf(path));
}

void RenamePath(const std::string& from, const std::string& to) {
  int result = fs().Rename(from.c_str(), to.c_str());
  if (result < 0) throw FileError(-result, fmt::format("could not rename file \"{}\" to \"{}\"", from, to));
}

void DurableRename(const std::string& from, const std::string& to) {
  FsyncPath(from);
  RenamePath(from, to);
  FsyncDirectory(ParentOf(to));
  if (ParentOf(from) != ParentOf(to)) FsyncDirectory(ParentOf(from));
}

bool UnlinkIfExists(const std::string& path) {
  int result = fs().Unlink(path.c_str());
  if (result == -ENOENT) return false;
  Require(result, "remove file", path);
  return true;
}

void FsyncDirectory(const std::string& path) { FsyncPath(path); }

void FsyncPath(const std::string& path) { File::Open(path, O_RDONLY).Sync(); }

void MakeDirectory(const std::string& path, mode_t mode) {
  Require(fs().MakeDirectory(path.c_str(), mode), "create directory", path);
}

void MakeDirectories(const std::string& path, mode_t mode) {
  if (path.empty() || IsDirectory(path)) return;
  MakeDirectories(path.find('/') == std::string::npos ? "" : ParentOf(path), mode);
  int result = fs().MakeDirectory(path.c_str(), mode);
  if (result < 0 && !(result == -EEXIST && IsDirectory(path))) Fail(result, "create directory", path);
}

std::vector<std::string> ListDirectory(const std::string& path) {
  std::vector<std::string> names;
  Require(fs().List(path.c_str(), &names), "open directory", path);
  std::sort(names.begin(), names.end());
  return names;
}

void RemoveTree(const std::string& path) {
  int result = fs().Unlink(path.c_str());
  if (result == 0 || result == -ENOENT) return;
  if (result != -EISDIR && result != -EPERM) Fail(result, "remove file", path);
  for (const std::string& name : ListDirectory(path)) RemoveTree(path + "/" + name);
  Require(fs().RemoveDirectory(path.c_str()), "remove directory", path);
}

void CopyFile(const std::string& from, const std::string& to, bool sync) {
  File source = File::Open(from, O_RDONLY);
  File target = File::Open(to, O_WRONLY | O_CREAT | O_EXCL);
  std::vector<char> buffer(64 * 1024);
  uint64_t offset = 0;
  while (size_t got = source.ReadAt(buffer.data(), buffer.size(), offset)) {
    target.WriteAt(buffer.data(), got, offset);
    offset += got;
  }
  if (sync) target.Sync();
}

void CopyTree(const std::string& from, const std::string& to, bool sync) {
  MakeDirectories(to);
  for (const std::string& name : ListDirectory(from)) {
    std::string source = from + "/" + name;
    std::string target = to + "/" + name;
    if (IsDirectory(source)) {
      CopyTree(source, target, sync);
    } else {
      CopyFile(source, target, sync);
    }
  }
  if (sync) FsyncDirectory(to);
}

}  // namespace walden
