#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>

#include "node/base/error.h"
#include "node/os/file.h"
#include "node/os/process.h"
#include "node/os/socket.h"

namespace walden {
namespace {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    char pattern[] = "/tmp/walden-os-XXXXXX";
    path_ = mkdtemp(pattern);
  }
  ~TemporaryDirectory() { RemoveTree(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(File, ReadsBackWhatWasWritten) {
  TemporaryDirectory dir;
  File file = File::Open(dir / "a", O_RDWR | O_CREAT | O_EXCL);
  file.WriteAt("walden", 6, 10);
  file.Sync();
  EXPECT_EQ(file.Size(), 16u);
  char text[6];
  file.ReadExactlyAt(text, 6, 10);
  EXPECT_EQ(std::string_view(text, 6), "walden");
  EXPECT_EQ(file.ReadAt(text, 6, 13), 3u);
  EXPECT_THROW(file.ReadExactlyAt(text, 6, 13), SqlError);
}

TEST(File, ErrorsCarryPostgresTextAndState) {
  try {
    File::Open("/nonexistent/x", O_RDONLY);
    FAIL();
  } catch (const SqlError& error) {
    EXPECT_STREQ(error.what(), "could not open file \"/nonexistent/x\": No such file or directory");
    EXPECT_EQ(SqlState(error.code()), "58P01");
  }
}

TEST(File, TreesAreCopiedAndRemoved) {
  TemporaryDirectory dir;
  MakeDirectories(dir / "x/y");
  WriteWholeFileDurably(dir / "x/y/f", "one");
  CopyTree(dir / "x", dir / "z", true);
  EXPECT_EQ(ReadWholeFile(dir / "z/y/f"), "one");
  EXPECT_EQ(ListDirectory(dir.path()), (std::vector<std::string>{"x", "z"}));
  DurableRename(dir / "z/y/f", dir / "z/g");
  EXPECT_TRUE(PathExists(dir / "z/g"));
  EXPECT_FALSE(UnlinkIfExists(dir / "z/y/f"));
}

// A layer that fails every sync, as a dying disk would.
class FailingSync : public FileSystem {
 public:
  explicit FailingSync(FileSystem& below) : below_(below) {}
  int Open(const char* path, int flags, mode_t mode) override { return below_.Open(path, flags, mode); }
  int Close(int fd) override { return below_.Close(fd); }
  ssize_t ReadAt(int fd, void* to, size_t bytes, uint64_t at) override {
    return below_.ReadAt(fd, to, bytes, at);
  }
  ssize_t WriteAt(int fd, const void* from, size_t bytes, uint64_t at) override {
    return below_.WriteAt(fd, from, bytes, at);
  }
  ssize_t WriteVectorAt(int fd, const iovec* parts, int n, uint64_t at) override {
    return below_.WriteVectorAt(fd, parts, n, at);
  }
  int Sync(int, bool) override { return -EIO; }
  int Truncate(int fd, uint64_t size) override { return below_.Truncate(fd, size); }
  int Stat(const char* path, struct stat* result) override { return below_.Stat(path, result); }
  int StatFd(int fd, struct stat* result) override { return below_.StatFd(fd, result); }
  int Rename(const char* from, const char* to) override { return below_.Rename(from, to); }
  int Link(const char* from, const char* to) override { return below_.Link(from, to); }
  int Unlink(const char* path) override { return below_.Unlink(path); }
  int MakeDirectory(const char* path, mode_t mode) override { return below_.MakeDirectory(path, mode); }
  int RemoveDirectory(const char* path) override { return below_.RemoveDirectory(path); }
  int List(const char* path, std::vector<std::string>* names) override { return below_.List(path, names); }
  int SymbolicLink(const char* target, const char* path) override {
    return below_.SymbolicLink(target, path);
  }
  int ReadLink(const char* path, std::string* target) override { return below_.ReadLink(path, target); }
  void Prefetch(int, uint64_t, uint64_t) override {}
  void StartWriteBack(int, uint64_t, uint64_t) override {}

 private:
  FileSystem& below_;
};

TEST(FileSystem, AnInstalledLayerSeesEveryCall) {
  TemporaryDirectory dir;
  FailingSync layer(fs());
  FileSystem* previous = InstallFileSystem(&layer);
  File file = File::Open(dir / "a", O_RDWR | O_CREAT);
  EXPECT_THROW(file.Sync(), SqlError);
  EXPECT_DEATH(file.SyncOrPanic(), "could not fsync file");
  InstallFileSystem(previous);
  EXPECT_NO_THROW(file.Sync());
}

TEST(Socket, ADescriptorTravelsWithItsMessage) {
  TemporaryDirectory dir;
  auto [near_end, far_end] = MakeSocketPair();
  File file = File::Open(dir / "a", O_RDWR | O_CREAT);
  file.WriteAt("hello", 5, 0);
  ASSERT_TRUE(SendWithDescriptor(near_end.fd(), "x", 1, file.fd(), true));
  char byte;
  Descriptor received;
  ASSERT_EQ(ReceiveWithDescriptor(far_end.fd(), &byte, 1, &received), 1);
  char text[5];
  ASSERT_EQ(pread(received.fd(), text, 5, 0), 5);
  EXPECT_EQ(std::string_view(text, 5), "hello");
}

TEST(Process, ShellCommandsReportTheirEnd) {
  EXPECT_EQ(DescribeWaitStatus(RunShellCommand("exit 3")), "exited with exit code 3");
  EXPECT_EQ(DescribeWaitStatus(RunShellCommand("kill -9 $$")), "was terminated by signal 9: Killed");
}

}  // namespace
}  // namespace walden
