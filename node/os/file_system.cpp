#include "node/os/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "node/os/may_block.h"

namespace walden {
namespace {

template <class T>
T OrErrno(T result) {
  return result < 0 ? static_cast<T>(-errno) : result;
}

class KernelFileSystem final : public FileSystem {
 public:
  int Open(const char* path, int flags, mode_t mode) override {
    return OrErrno(open(path, flags | O_CLOEXEC, mode));
  }
  int Close(int fd) override { return OrErrno(close(fd)); }
  ssize_t ReadAt(int fd, void* to, size_t bytes, uint64_t offset) override {
    return OrErrno(pread(fd, to, bytes, static_cast<off_t>(offset)));
  }
  ssize_t WriteAt(int fd, const void* from, size_t bytes, uint64_t offset) override {
    return OrErrno(pwrite(fd, from, bytes, static_cast<off_t>(offset)));
  }
  ssize_t WriteVectorAt(int fd, const iovec* parts, int count, uint64_t offset) override {
    return OrErrno(pwritev(fd, parts, count, static_cast<off_t>(offset)));
  }
  // Much is only reserved: what will be written anyway need not be written twice.
  ssize_t Extend(int fd, const void* zeroes, size_t bytes, uint64_t end) override {
    constexpr size_t kWorthReserving = 65536;
    if (bytes >= kWorthReserving) {
      if (fallocate(fd, 0, static_cast<off_t>(end), static_cast<off_t>(bytes)) == 0)
        return static_cast<ssize_t>(bytes);
      if (errno != EOPNOTSUPP && errno != EINTR) return -errno;
    }
    return WriteAt(fd, zeroes, bytes, end);
  }
  int Sync(int fd, bool data_only) override { return OrErrno(data_only ? fdatasync(fd) : fsync(fd)); }
  int Truncate(int fd, uint64_t size_bytes) override {
    return OrErrno(ftruncate(fd, static_cast<off_t>(size_bytes)));
  }
  int Stat(const char* path, struct stat* result) override { return OrErrno(stat(path, result)); }
  int StatFd(int fd, struct stat* result) override { return OrErrno(fstat(fd, result)); }
  int Rename(const char* from, const char* to) override { return OrErrno(rename(from, to)); }
  int Link(const char* from, const char* to) override { return OrErrno(link(from, to)); }
  int Unlink(const char* path) override { return OrErrno(unlink(path)); }
  int MakeDirectory(const char* path, mode_t mode) override { return OrErrno(mkdir(path, mode)); }
  int RemoveDirectory(const char* path) override { return OrErrno(rmdir(path)); }
  int List(const char* path, std::vector<std::string>* names) override {
    DIR* directory = opendir(path);
    if (directory == nullptr) return -errno;
    errno = 0;
    while (dirent* entry = readdir(directory)) {
      std::string name = entry->d_name;
      if (name != "." && name != "..") names->push_back(std::move(name));
    }
    int error = errno;
    closedir(directory);
    return -error;
  }
  int SymbolicLink(const char* target, const char* path) override { return OrErrno(symlink(target, path)); }
  int ReadLink(const char* path, std::string* target) override {
    char buffer[4096];
    ssize_t size = readlink(path, buffer, sizeof buffer);
    if (size < 0) return -errno;
    target->assign(buffer, static_cast<size_t>(size));
    return 0;
  }
  void Prefetch(int fd, uint64_t offset, uint64_t bytes) override {
    posix_fadvise(fd, static_cast<off_t>(offset), static_cast<off_t>(bytes), POSIX_FADV_WILLNEED);
  }
  void StartWriteBack(int fd, uint64_t offset, uint64_t bytes) override {
    sync_file_range(fd, static_cast<off_t>(offset), static_cast<off_t>(bytes), SYNC_FILE_RANGE_WRITE);
  }
};

KernelFileSystem& Kernel() {
  static KernelFileSystem* kernel = new KernelFileSystem;
  return *kernel;
}

FileSystem* installed = nullptr;

}  // namespace

FileSystem& fs() {
  CheckMayBlock();
  return installed != nullptr ? *installed : Kernel();
}

FileSystem* InstallFileSystem(FileSystem* replacement) {
  FileSystem* previous = installed;
  installed = replacement;
  return previous;
}

}  // namespace walden
