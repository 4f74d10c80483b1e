// What a kind must not leave behind: files, segments, threads, children, descriptors.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "memory/kinds.h"

namespace oomdrill::memory {
namespace {

namespace fs = std::filesystem;

std::ptrdiff_t entries(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

/// Reserves and writes `bytes`.
void grow(Memory& memory, std::uint64_t bytes) {
  while (bytes > 0) {
    const auto block = memory.reserve(bytes);
    ASSERT_TRUE(block) << block.error().line();
    const auto status = memory.write(*block, 0, block->bytes);
    ASSERT_TRUE(status) << status.error().line();
    bytes -= block->bytes;
  }
}

class Folder : public testing::Test {
 protected:
  Folder() {
    std::string name = (fs::temp_directory_path() / "leaksim-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() override { fs::remove_all(path_); }
  fs::path path_;
};

TEST_F(Folder, FilesHaveNoNameAndNoDescriptorIsLeft) {
  const Settings settings = {{"dir", path_.string()}};
  const Kind& kind = kFile.supported(settings) ? kFile : kTmpfs;
  ASSERT_TRUE(kind.supported(settings)) << kind.supported(settings).error().line();
  const auto open_before = entries("/proc/self/fd");
  const auto memory = kind.make(Content(1), settings);
  grow(*memory, 3 << 20);
  EXPECT_EQ(entries(path_), 0);
  EXPECT_EQ(entries("/proc/self/fd"), open_before + 1);
  memory->reset();
  EXPECT_EQ(entries("/proc/self/fd"), open_before);
}

TEST_F(Folder, SaysWhyThereCanBeNoFile) {
  const auto missing = kFile.supported({{"dir", (path_ / "missing").string()}});
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().line().find("missing"), std::string::npos);
  const auto disk = kTmpfs.supported({{"dir", "/proc"}});
  ASSERT_FALSE(disk);
  EXPECT_EQ(disk.error().line(), "/proc: is no tmpfs; name a directory on one with dir=");
}

/// Segments that this process made, by /proc/sysvipc/shm: how many, and how many of them end with
/// their last attachment (SHM_DEST).
std::pair<int, int> segments() {
  std::ifstream file("/proc/sysvipc/shm");
  std::string line;
  std::getline(file, line);
  std::pair<int, int> found{0, 0};
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::int64_t key = 0;
    std::int64_t id = 0;
    unsigned permissions = 0;
    std::uint64_t size = 0;
    pid_t creator = 0;
    fields >> key >> id >> std::oct >> permissions >> std::dec >> size >> creator;
    if (creator != ::getpid()) continue;
    ++found.first;
    if ((permissions & 01000u) != 0) ++found.second;
  }
  return found;
}

TEST(Shm, SegmentsEndWithTheProcess) {
  if (!kShm.supported({})) GTEST_SKIP() << kShm.supported({}).error().line();
  const auto memory = kShm.make(Content(1), {});
  std::vector<std::uintptr_t> handles;
  for (int i = 0; i < 2; ++i) {
    const auto block = memory->reserve(2 << 20);
    ASSERT_TRUE(block && memory->write(*block, 0, block->bytes));
    handles.push_back(block->handle);
  }
  grow(*memory, 1 << 20);
  const auto [all, doomed] = segments();
  EXPECT_EQ(all, 3);
  EXPECT_EQ(doomed, all);
  memory->reset();
  EXPECT_EQ(segments().first, 2);
  for (const std::uintptr_t handle : handles) memory->release({handle, 2 << 20});
  EXPECT_EQ(segments().first, 0);
}

TEST(Stack, ThreadsEndWithTheirBytes) {
  const auto before = entries("/proc/self/task");
  const auto memory = kStack.make(Content(1), {});
  const auto block = memory->reserve(memory->granule());
  ASSERT_TRUE(block && memory->write(*block, 0, block->bytes));
  grow(*memory, 100'000);
  EXPECT_EQ(entries("/proc/self/task"), before + 2);
  memory->release(*block);
  EXPECT_EQ(entries("/proc/self/task"), before + 1);
  memory->reset();
  EXPECT_EQ(entries("/proc/self/task"), before);
}

pid_t only_child() {
  std::ifstream file("/proc/self/task/" + std::to_string(::getpid()) + "/children");
  pid_t child = 0;
  file >> child;
  return child;
}

TEST(Fork, ChildrenEndWithTheirBytes) {
  const auto memory = kFork.make(Content(1), {});
  grow(*memory, memory->granule() + 100'000);
  memory->reset();
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(Fork, SaysThatAChildWasKilled) {
  const auto memory = kFork.make(Content(1), {});
  const auto block = memory->reserve(1 << 20);
  ASSERT_TRUE(block && memory->write(*block, 0, 1000));
  const pid_t child = only_child();
  ASSERT_GT(child, 0);
  ::kill(child, SIGKILL);
  const auto status = memory->write(*block, 1000, 1000);
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().line().find("was killed"), std::string::npos);
}

TEST(Fork, AChildDoesNotOutliveItsParent) {
  int pair[2];
  ASSERT_EQ(::pipe(pair), 0);
  const pid_t parent = ::fork();
  ASSERT_GE(parent, 0);
  if (parent == 0) {
    const auto memory = kFork.make(Content(1), {});
    const auto block = memory->reserve(1 << 20);
    if (!block || !memory->write(*block, 0, 1000)) ::_exit(1);
    const pid_t child = only_child();
    if (::write(pair[1], &child, sizeof child) != sizeof child) ::_exit(2);
    ::pause();
  }
  pid_t grandchild = 0;
  ASSERT_EQ(::read(pair[0], &grandchild, sizeof grandchild),
            static_cast<std::ptrdiff_t>(sizeof grandchild));
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  ::close(pair[0]);
  ::close(pair[1]);
  // Gone, or a zombie that waits for init.
  for (int look = 0; look < 500; ++look) {
    std::ifstream file("/proc/" + std::to_string(grandchild) + "/stat");
    std::string pid;
    std::string name;
    std::string state;
    file >> pid >> name >> state;
    if (!file || state == "Z" || state == "X") return;
    ::usleep(10'000);
  }
  FAIL() << "process " << grandchild << " lives";
}

class Kernel : public testing::TestWithParam<const char*> {};

TEST_P(Kernel, DescriptorsAreClosed) {
  const auto before = entries("/proc/self/fd");
  const auto memory = kKernel.make(Content(1), {{"of", GetParam()}});
  const auto block = memory->reserve(2 << 20);
  ASSERT_TRUE(block && memory->write(*block, 0, block->bytes));
  const auto all = entries("/proc/self/fd");
  EXPECT_GT(all, before + 2);
  memory->release({block->handle, (2 << 20) - 4096});
  EXPECT_LT(entries("/proc/self/fd"), all);
  memory->reset();
  EXPECT_EQ(entries("/proc/self/fd"), before);
}

INSTANTIATE_TEST_SUITE_P(Of, Kernel, testing::Values("pipes", "sockets", "inodes"),
                         [](const auto& each) { return std::string(each.param); });

}  // namespace
}  // namespace oomdrill::memory
