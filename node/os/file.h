// Owned file descriptors and directory operations. Failures throw FileError with PostgreSQL's message text
// ("could not open file \"base/1/1259\": No such file or directory"). Not thread-safe per object; separate
// objects and positioned reads/writes of one object are. All calls go through fs().
#pragma once

#include <fcntl.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "node/os/file_system.h"

namespace walden {

inline constexpr mode_t kPrivateFileMode = 0600;
inline constexpr mode_t kPrivateDirectoryMode = 0700;

class File {
 public:
  File() = default;
  ~File() { Close(); }
  File(File&& other) noexcept : fd_(other.fd_), path_(std::move(other.path_)) { other.fd_ = -1; }
  File& operator=(File&& other) noexcept;

  // flags as open(2); creation uses kPrivateFileMode unless `mode` says otherwise.
  static File Open(std::string path, int flags, mode_t mode = kPrivateFileMode);
  // Returns a closed File and stores errno when the file does not exist or cannot be opened.
  static File TryOpen(std::string path, int flags, int* error_number, mode_t mode = kPrivateFileMode);

  bool is_open() const { return fd_ >= 0; }
  int fd() const { return fd_; }
  const std::string& path() const { return path_; }

  // Reads until `bytes` or the end of the file; returns what was read.
  size_t ReadAt(void* to, size_t bytes, uint64_t offset) const;
  // Reads exactly `bytes`; a shorter file throws XX001 "could not read file ...: read X of Y".
  void ReadExactlyAt(void* to, size_t bytes, uint64_t offset) const;
  // Writes everything or throws (a short write that sets no errno is ENOSPC).
  void WriteAt(const void* from, size_t bytes, uint64_t offset) const;
  // fsync / fdatasync. Throws on failure; callers for whom it must never be retried call SyncOrPanic.
  void Sync(bool data_only = false) const;
  // A failed fsync may have dropped dirty pages: the node must recover from WAL, so this PANICs.
  void SyncOrPanic(bool data_only = false) const noexcept;
  void Truncate(uint64_t size_bytes) const;
  uint64_t Size() const;
  void Prefetch(uint64_t offset, uint64_t bytes) const { fs().Prefetch(fd_, offset, bytes); }
  void StartWriteBack(uint64_t offset, uint64_t bytes) const { fs().StartWriteBack(fd_, offset, bytes); }
  void Close() noexcept;

 private:
  int fd_ = -1;
  std::string path_;
};

bool PathExists(const std::string& path);
bool IsDirectory(const std::string& path);
std::string ReadWholeFile(const std::string& path);
// Returns false when the file does not exist; other failures throw.
bool TryReadWholeFile(const std::string& path, std::string* content);
// Replaces `path` durably: writes `path`.tmp, syncs it, renames, syncs the directory.
void WriteWholeFileDurably(const std::string& path, std::string_view content, mode_t mode = kPrivateFileMode);

// Renames and makes the new name survive a crash: syncs the file before, and the directory after.
void DurableRename(const std::string& from, const std::string& to);
void RenamePath(const std::string& from, const std::string& to);
// Returns false when the file did not exist.
bool UnlinkIfExists(const std::string& path);
void FsyncDirectory(const std::string& path);
void FsyncPath(const std::string& path);
void MakeDirectory(const std::string& path, mode_t mode = kPrivateDirectoryMode);  // existing one is an error
void MakeDirectories(const std::string& path, mode_t mode = kPrivateDirectoryMode);
// Sorted names without "." and "..".
std::vector<std::string> ListDirectory(const std::string& path);
// Removes a directory and all below it; a path that does not exist is fine.
void RemoveTree(const std::string& path);
// Copies a regular file / a tree of regular files and directories, syncing when asked.
void CopyFile(const std::string& from, const std::string& to, bool sync);
void CopyTree(const std::string& from, const std::string& to, bool sync);

}  // namespace walden
