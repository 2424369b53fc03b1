#include "node/os/unsettled_file_system.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>

namespace walden {
namespace {

struct RecordHeader {
  char magic[2];
  char kind;
  char zero;
  uint32_t size;
  uint64_t inode, a, b;
  uint16_t path_size, path2_size;
  uint32_t unused;
};
static_assert(sizeof(RecordHeader) == 40);

struct OpenFile {
  uint64_t inode = 0;
  std::string path;
  bool is_directory = false;
  bool settles_itself = false;  // O_SYNC, O_DSYNC
};

std::string Absolute(const char* path) {
  if (path[0] == '/') return path;
  char current[4096];
  return getcwd(current, sizeof current) == nullptr ? path : std::string(current) + "/" + path;
}

class UnsettledFileSystem final : public FileSystem {
 public:
  explicit UnsettledFileSystem(const std::string& folder) : folder_(folder), kernel_(fs()) {
    journal_ = open((folder + "/journal").c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  }

  int Open(const char* path, int flags, mode_t mode) override {
    struct stat before = {};
    bool existed = kernel_.Stat(path, &before) == 0;
    bool emptied = existed && (flags & O_TRUNC) != 0 && S_ISREG(before.st_mode);
    std::string old;
    if (emptied) old = ReadOld(path, 0, static_cast<uint64_t>(before.st_size));
    int fd = kernel_.Open(path, flags, mode);
    if (fd < 0) return fd;
    struct stat status = {};
    kernel_.StatFd(fd, &status);
    OpenFile file{status.st_ino, Absolute(path), S_ISDIR(status.st_mode), (flags & (O_SYNC | O_DSYNC)) != 0};
    bool writes = (flags & O_ACCMODE) != O_RDONLY;
    if (writes && S_ISREG(status.st_mode)) Keep(file.inode, path);
    if (!existed && (flags & O_CREAT) != 0) Append('c', file.inode, 0, 0, file.path);
    if (emptied && !old.empty())
      Append('t', file.inode, 0, static_cast<uint64_t>(before.st_size), file.path, {}, old);
    std::lock_guard guard(mutex_);
    files_[fd] = std::move(file);
    return fd;
  }
  int Close(int fd) override {
    {
      std::lock_guard guard(mutex_);
      files_.erase(fd);
    }
    return kernel_.Close(fd);
  }
  ssize_t ReadAt(int fd, void* to, size_t bytes, uint64_t offset) override {
    return kernel_.ReadAt(fd, to, bytes, offset);
  }
  ssize_t WriteAt(int fd, const void* from, size_t bytes, uint64_t offset) override {
    iovec part{const_cast<void*>(from), bytes};
    return WriteVectorAt(fd, &part, 1, offset);
  }
  ssize_t WriteVectorAt(int fd, const iovec* parts, int count, uint64_t offset) override {
    OpenFile file = FileOf(fd);
    if (int error = Failure("write", file.path)) return -error;
    size_t bytes = 0;
    for (int i = 0; i < count; ++i) bytes += parts[i].iov_len;
    uint64_t size = SizeOf(fd);
    std::string old(offset < size ? std::min<uint64_t>(bytes, size - offset) : 0, '\0');
    if (!old.empty() && kernel_.ReadAt(fd, old.data(), old.size(), offset) < 0) return -EIO;
    ssize_t put = kernel_.WriteVectorAt(fd, parts, count, offset);
    if (put <= 0) return put;
    // `size` says how far the file reached; the length of what was written comes with the old bytes' end.
    AppendWrite(file, offset, static_cast<uint64_t>(put), size, old);
    if (file.settles_itself) Append('s', file.inode, JournalEnd(), 0, file.path);
    return put;
  }
  int Sync(int fd, bool data_only) override {
    OpenFile file = FileOf(fd);
    if (int error = Failure("sync", file.path)) return -error;
    uint64_t upto = JournalEnd();
    int result = kernel_.Sync(fd, data_only);
    if (result == 0) Append(file.is_directory ? 'd' : 's', file.inode, upto, 0, file.path);
    return result;
  }
  int Truncate(int fd, uint64_t size_bytes) override {
    OpenFile file = FileOf(fd);
    uint64_t size = SizeOf(fd);
    std::string old;
    if (size_bytes < size) {
      old.resize(size - size_bytes);
      if (kernel_.ReadAt(fd, old.data(), old.size(), size_bytes) < 0) return -EIO;
    }
    int result = kernel_.Truncate(fd, size_bytes);
    if (result == 0 && size != size_bytes) Append('t', file.inode, size_bytes, size, file.path, {}, old);
    return result;
  }
  int Stat(const char* path, struct stat* result) override { return kernel_.Stat(path, result); }
  int StatFd(int fd, struct stat* result) override {
    int done = kernel_.StatFd(fd, result);
    if (done == 0 && S_ISREG(result->st_mode) && IsKept(result->st_ino)) --result->st_nlink;
    return done;
  }
  int Rename(const char* from, const char* to) override {
    struct stat moved = {}, replaced = {};
    kernel_.Stat(from, &moved);
    bool replaces = kernel_.Stat(to, &replaced) == 0;
    if (S_ISREG(moved.st_mode)) Keep(moved.st_ino, from);
    if (replaces) Keep(replaced.st_ino, to);
    int result = kernel_.Rename(from, to);
    if (result == 0)
      Append('r', moved.st_ino, replaces ? replaced.st_ino : 0, 0, Absolute(from), Absolute(to));
    return result;
  }
  int Link(const char* from, const char* to) override {
    struct stat status = {};
    kernel_.Stat(from, &status);
    Keep(status.st_ino, from);
    int result = kernel_.Link(from, to);
    if (result == 0) Append('c', status.st_ino, 0, 0, Absolute(to));
    return result;
  }
  int Unlink(const char* path) override {
    struct stat status = {};
    if (kernel_.Stat(path, &status) == 0 && S_ISREG(status.st_mode)) Keep(status.st_ino, path);
    int result = kernel_.Unlink(path);
    if (result == 0) Append('u', status.st_ino, 0, 0, Absolute(path));
    return result;
  }
  int MakeDirectory(const char* path, mode_t mode) override {
    int result = kernel_.MakeDirectory(path, mode);
    if (result == 0) Append('c', 0, 0, 0, Absolute(path));
    return result;
  }
  int RemoveDirectory(const char* path) override {
    int result = kernel_.RemoveDirectory(path);
    if (result == 0) Append('u', 0, 0, 0, Absolute(path));
    return result;
  }
  int List(const char* path, std::vector<std::string>* names) override { return kernel_.List(path, names); }
  int SymbolicLink(const char* target, const char* path) override {
    return kernel_.SymbolicLink(target, path);
  }
  int ReadLink(const char* path, std::string* target) override { return kernel_.ReadLink(path, target); }
  void Prefetch(int fd, uint64_t offset, uint64_t bytes) override { kernel_.Prefetch(fd, offset, bytes); }
  void StartWriteBack(int fd, uint64_t offset, uint64_t bytes) override {
    kernel_.StartWriteBack(fd, offset, bytes);
  }

 private:
  OpenFile FileOf(int fd) {
    {
      std::lock_guard guard(mutex_);
      auto found = files_.find(fd);
      if (found != files_.end()) return found->second;
    }
    struct stat status = {};
    kernel_.StatFd(fd, &status);
    return {status.st_ino, "", S_ISDIR(status.st_mode), false};
  }
  uint64_t SizeOf(int fd) {
    struct stat status = {};
    kernel_.StatFd(fd, &status);
    return static_cast<uint64_t>(status.st_size);
  }
  uint64_t JournalEnd() { return SizeOf(journal_); }
  std::string KeptPath(uint64_t inode) const { return folder_ + "/" + std::to_string(inode); }
  bool IsKept(uint64_t inode) const { return access(KeptPath(inode).c_str(), F_OK) == 0; }
  void Keep(uint64_t inode, const char* path) { kernel_.Link(path, KeptPath(inode).c_str()); }

  std::string ReadOld(const char* path, uint64_t from, uint64_t to) {
    std::string old(to - from, '\0');
    int fd = kernel_.Open(path, O_RDONLY, 0);
    if (fd < 0) return {};
    ssize_t got = kernel_.ReadAt(fd, old.data(), old.size(), from);
    kernel_.Close(fd);
    old.resize(got > 0 ? static_cast<size_t>(got) : 0);
    return old;
  }

  void AppendWrite(const OpenFile& file, uint64_t offset, uint64_t length, uint64_t size,
                   const std::string& old) {
    // The written length stands where a second path would: in front of the old bytes.
    std::string body(reinterpret_cast<const char*>(&length), sizeof length);
    body += old;
    Append('w', file.inode, offset, size, file.path, {}, body);
  }
  void Append(char kind, uint64_t inode, uint64_t a, uint64_t b, const std::string& path,
              const std::string& path2 = {}, const std::string& old = {}) {
    RecordHeader header{{'U', 'J'},
                        kind,
                        0,
                        0,
                        inode,
                        a,
                        b,
                        static_cast<uint16_t>(path.size()),
                        static_cast<uint16_t>(path2.size()),
                        0};
    header.size = static_cast<uint32_t>(sizeof header + path.size() + path2.size() + old.size());
    std::string record(reinterpret_cast<const char*>(&header), sizeof header);
    record += path;
    record += path2;
    record += old;
    if (write(journal_, record.data(), record.size()) != static_cast<ssize_t>(record.size())) {
      // A journal with a hole would prove nothing: end the test here.
      std::fprintf(stderr, "could not write the journal of unsettled changes\n");
      _exit(3);
    }
  }

  // The errno that FOLDER/fail wants for this call; 0: none.
  int Failure(const char* operation, const std::string& path) {
    std::string request = folder_ + "/fail";
    if (access(request.c_str(), F_OK) != 0) return 0;
    std::string text = ReadOld(request.c_str(), 0, 4096);
    char wanted[16], part[1024];
    int error;
    if (std::sscanf(text.c_str(), "%15s %d %1023s", wanted, &error, part) != 3) return 0;
    if (std::strcmp(wanted, operation) != 0 || path.find(part) == std::string::npos) return 0;
    return unlink(request.c_str()) == 0 ? error : 0;
  }

  std::string folder_;
  FileSystem& kernel_;
  int journal_ = -1;
  std::mutex mutex_;  // threads of one process
  std::map<int, OpenFile> files_;
};

}  // namespace

std::unique_ptr<FileSystem> MakeUnsettledFileSystem(const std::string& folder) {
  return std::make_unique<UnsettledFileSystem>(folder);
}

}  // namespace walden
