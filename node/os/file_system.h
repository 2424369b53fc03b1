// The one way to files: a thin virtual layer over the system calls. The installed instance is process-wide
// (set before threads start); the default one calls the kernel. A test layer may forget unsynced writes,
// count or fail calls. Every call returns a non-negative result or -errno and never throws; `File` turns that
// into errors.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cstdint>
#include <string>
#include <vector>

namespace walden {

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  // `flags` are open(2)'s; O_CLOEXEC is always added.
  virtual int Open(const char* path, int flags, mode_t mode) = 0;
  virtual int Close(int fd) = 0;
  virtual ssize_t ReadAt(int fd, void* to, size_t bytes, uint64_t offset) = 0;
  virtual ssize_t WriteAt(int fd, const void* from, size_t bytes, uint64_t offset) = 0;
  virtual ssize_t WriteVectorAt(int fd, const iovec* parts, int count, uint64_t offset) = 0;
  // Appends zeroes at the end of a file: `zeroes` are they. Disk space for them is taken, so that writing there later does
  // not fail for lack of it.
  virtual ssize_t Extend(int fd, const void* zeroes, size_t bytes, uint64_t end) {
    return WriteAt(fd, zeroes, bytes, end);
  }
  virtual int Sync(int fd, bool data_only) = 0;
  virtual int Truncate(int fd, uint64_t size_bytes) = 0;
  virtual int Stat(const char* path, struct stat* result) = 0;
  virtual int StatFd(int fd, struct stat* result) = 0;
  virtual int Rename(const char* from, const char* to) = 0;
  virtual int Link(const char* from, const char* to) = 0;
  virtual int Unlink(const char* path) = 0;
  virtual int MakeDirectory(const char* path, mode_t mode) = 0;
  virtual int RemoveDirectory(const char* path) = 0;
  virtual int List(const char* path, std::vector<std::string>* names) = 0;  // without "." and ".."
  virtual int SymbolicLink(const char* target, const char* path) = 0;
  virtual int ReadLink(const char* path, std::string* target) = 0;
  // Hints: start reading a range ahead / start writing a range back. Failure is harmless.
  virtual void Prefetch(int fd, uint64_t offset, uint64_t bytes) = 0;
  virtual void StartWriteBack(int fd, uint64_t offset, uint64_t bytes) = 0;
};

FileSystem& fs();
// nullptr restores the kernel's. The caller keeps ownership. Returns the previous instance.
FileSystem* InstallFileSystem(FileSystem* replacement);

}  // namespace walden
