// Against the kernel that the tests run on, whichever cgroup version it has.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cgroup/limit.h"
#include "cgroup/reader.h"

namespace oomdrill::cgroup {
namespace {

class Live : public testing::Test {
 protected:
  void SetUp() override {
    const auto found = locate(FileRoot());
    ASSERT_TRUE(found) << found.error().line();
    location = *found;
  }
  /// Skips where this machine has nothing to read: the root cgroup of v2.
  [[nodiscard]] bool readable() const {
    return location.version == Version::v1 || !location.is_root;
  }

  Location location;
};

TEST_F(Live, LocatesItselfByNameAndByPid) {
  EXPECT_TRUE(location.directory.starts_with(location.mount)) << location.directory;
  EXPECT_EQ(location.ancestors.empty(), location.directory == location.mount);
  const auto by_pid = locate(FileRoot(), std::to_string(::getpid()));
  ASSERT_TRUE(by_pid) << by_pid.error().line();
  EXPECT_EQ(by_pid->directory, location.directory);
  const auto by_name = locate_directory(FileRoot(), location.directory);
  ASSERT_TRUE(by_name) << by_name.error().line();
  EXPECT_EQ(by_name->version, location.version);
  EXPECT_EQ(by_name->ancestors, location.ancestors);
  EXPECT_EQ(by_name->ancestors_hidden, location.ancestors_hidden);
  EXPECT_EQ(by_name->is_root, location.is_root);
}

TEST_F(Live, TheCgroupListsThisProcess) {
  const auto procs = read_file(location.directory + "/cgroup.procs");
  ASSERT_TRUE(procs) << procs.error().line();
  const std::string pid = std::to_string(::getpid()) + "\n";
  // On v2 the process may sit in a child that has no memory controller, so its own list is shorter.
  const auto inner = read_file(location.mount + location.kernel_path + "/cgroup.procs");
  EXPECT_TRUE(("\n" + *procs).find("\n" + pid) != std::string::npos ||
              (inner && ("\n" + *inner).find("\n" + pid) != std::string::npos));
}

TEST_F(Live, LimitIsAtMostTheHosts) {
  const auto candidates = collect_limits(FileRoot(), location);
  ASSERT_TRUE(candidates) << candidates.error().line();
  const EffectiveLimit limit = resolve_limit(*candidates, location.ancestors_hidden);
  const auto meminfo = read_file("/proc/meminfo");
  ASSERT_TRUE(meminfo);
  ASSERT_TRUE(limit.bytes);
  EXPECT_LE(*limit.bytes, *parse_mem_total(*meminfo, "/proc/meminfo"));
  EXPECT_FALSE(limit.where.empty());
}

TEST_F(Live, SampleShowsWhatIsCharged) {
  if (!readable()) GTEST_SKIP() << "the root cgroup of v2 has no usage";
  const auto reader = Reader::open(FileRoot(), location);
  ASSERT_TRUE(reader) << reader.error().line();
  constexpr std::size_t kSize = 32u << 20;
  void* memory = ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  std::memset(memory, 1, kSize);
  Sample sample;
  const auto result = reader->read(sample);
  ::munmap(memory, kSize);
  ASSERT_TRUE(result) << result.error().line();
  EXPECT_GE(sample.current, kSize);
  ASSERT_TRUE(sample.has_stat);
  // The kernel flushes its per-CPU counts only when enough of them have come together.
  EXPECT_GE(sample.stat.anon.value_or(0), kSize / 10 * 9);
  EXPECT_TRUE(sample.stat.file);
  EXPECT_TRUE(sample.stat.inactive_file);
  EXPECT_TRUE(working_set(sample));
  EXPECT_TRUE(ecs_used(sample, location.version));
  EXPECT_TRUE(sample.deciding().oom_kill);
  EXPECT_GE(sample.peak.value_or(kSize), kSize);
  Sample counters;
  ASSERT_TRUE(reader->read_counters(counters));
  EXPECT_GE(counters.deciding().oom_kill, sample.deciding().oom_kill);
}

TEST_F(Live, ARemovedCgroupSaysSo) {
  const std::string directory =
      location.mount + "/oomdrill-cgroup-test-" + std::to_string(::getpid());
  if (::mkdir(directory.c_str(), 0755) != 0) {
    GTEST_SKIP() << "cannot make a cgroup in " << location.mount << ": " << std::strerror(errno);
  }
  const auto made = locate_directory(FileRoot(), directory);
  if (!made) {
    ::rmdir(directory.c_str());
    GTEST_SKIP() << made.error().line();
  }
  auto reader = Reader::open(FileRoot(), *made);
  Sample sample;
  const auto alive = reader ? reader->read(sample) : tl::unexpected(reader.error());
  EXPECT_EQ(::rmdir(directory.c_str()), 0) << std::strerror(errno);
  ASSERT_TRUE(alive) << alive.error().line();
  EXPECT_EQ(sample.deciding().oom_kill, 0u);
  const auto gone = reader->read(sample);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().errnum, ENODEV) << gone.error().line();
  EXPECT_FALSE(reader->read_counters(sample));
}

TEST_F(Live, HostCounterIsReadable) {
  const auto counter = HostOomCounter::open(FileRoot());
  ASSERT_TRUE(counter) << counter.error().line();
  EXPECT_TRUE(counter->read());
}

}  // namespace
}  // namespace oomdrill::cgroup
