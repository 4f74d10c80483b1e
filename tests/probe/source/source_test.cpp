#include "source/source.h"

#include <gtest/gtest.h>

#include "fixture_tree.h"
#include "source/host.h"

namespace oomdrill::probe {
namespace {

using cgroup::LimitSource;
constexpr std::uint64_t kMiB = 1 << 20;

TEST(MemAvailable, IsInKiB) {
  EXPECT_EQ(find_mem_available("MemTotal: 9 kB\nMemAvailable:    2048 kB\n"), 2 * kMiB);
  EXPECT_FALSE(find_mem_available("MemTotal: 9 kB\n"));
  EXPECT_FALSE(find_mem_available("MemAvailable: many"));
  EXPECT_FALSE(find_mem_available("MemAvailable:"));
}

TEST(OuterLimit, IsTheLeastThatIsNotTheOwn) {
  EXPECT_FALSE(least_outer_limit({}));
  EXPECT_FALSE(least_outer_limit({{LimitSource::own, 64 * kMiB, {}},
                                  {LimitSource::hierarchical, 64 * kMiB, {}},
                                  {LimitSource::ecs_container, 64 * kMiB, {}},
                                  {LimitSource::host, 1024 * kMiB, {}}}));
  EXPECT_EQ(least_outer_limit(
                {{LimitSource::own, 64 * kMiB, {}}, {LimitSource::hierarchical, 32 * kMiB, {}}}),
            32 * kMiB);
  EXPECT_EQ(least_outer_limit({{LimitSource::own, std::nullopt, {}},
                               {LimitSource::hierarchical, 96 * kMiB, {}},
                               {LimitSource::ancestor, 128 * kMiB, {}}}),
            96 * kMiB);
  EXPECT_EQ(least_outer_limit({{LimitSource::own, 64 * kMiB, {}},
                               {LimitSource::ancestor, std::nullopt, {}},
                               {LimitSource::ecs_task, 512 * kMiB, {}}}),
            512 * kMiB);
}

TEST(Gvisor, IsKnownByItsVersion) {
  test::FixtureTree tree;
  EXPECT_FALSE(is_gvisor(tree.root()));
  tree.file("/proc/version", "Linux version 6.1.0-40-cloud-amd64 (debian)\n");
  EXPECT_FALSE(is_gvisor(tree.root()));
  tree.file("/proc/version", "Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016\n");
  EXPECT_TRUE(is_gvisor(tree.root()));
  tree.file("/proc/version", "Linux version 4.19.0-gvisor #1 SMP Sun Jan 10 15:06:54 PST 2016\n");
  EXPECT_TRUE(is_gvisor(tree.root()));
}

TEST(HostSource, ReadsTheHostAlone) {
  test::FixtureTree tree;
  tree.file("/proc/vmstat", "nr_free_pages 1\noom_kill 7\n")
      .file("/proc/meminfo", "MemTotal: 4096 kB\nMemAvailable: 1024 kB\n");
  const auto source = open_host(tree.root());
  Reading reading;
  ASSERT_TRUE(source->read(reading));
  EXPECT_FALSE(reading.has_sample);
  EXPECT_EQ(reading.host_oom_kills, 7U);
  EXPECT_EQ(reading.host_available, kMiB);
  EXPECT_EQ(source->events_fd(), -1);
  EXPECT_FALSE(source->subject().location);
}

TEST(HostSource, WorksWithoutProc) {
  test::FixtureTree tree;
  Reading reading;
  ASSERT_TRUE(open_host(tree.root())->read(reading));
  EXPECT_FALSE(reading.host_oom_kills);
}

/// A v1 cgroup of 64 MiB below a task of 128 MiB.
void write_v1(test::FixtureTree& tree, const std::string& limit, const std::string& hierarchical) {
  const std::string own = "/sys/fs/cgroup/memory/";
  tree.file(own + "memory.usage_in_bytes", "33554432\n")
      .file(own + "memory.limit_in_bytes", limit + "\n")
      .file(own + "memory.max_usage_in_bytes", "40000000\n")
      .file(own + "memory.failcnt", "0\n")
      .file(own + "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n")
      .file(own + "memory.stat", "cache 0\nrss 33554432\nhierarchical_memory_limit " +
                                     hierarchical +
                                     "\ntotal_cache 0\ntotal_rss 33554432\ntotal_inactive_file 0\n")
      .file("/proc/meminfo", "MemTotal: 8388608 kB\nMemAvailable: 4194304 kB\n")
      .file("/proc/vmstat", "oom_kill 2\n");
}

cgroup::Location v1_location() {
  cgroup::Location location;
  location.version = cgroup::Version::v1;
  location.layout = cgroup::Layout::v1;
  location.mount = location.directory = "/sys/fs/cgroup/memory";
  return location;
}

TEST(CgroupSource, ResolvesTheLimitAndAgainWhenTheOwnOneChanges) {
  test::FixtureTree tree;
  write_v1(tree, "67108864", "67108864");
  auto source = open_cgroup(tree.root(), v1_location(), {{LimitSource::ecs_task, 128 * kMiB, "x"}});
  ASSERT_TRUE(source) << source.error().line();
  Reading reading;
  ASSERT_TRUE((*source)->read(reading));
  EXPECT_TRUE(reading.has_sample);
  EXPECT_EQ(reading.limit, 64 * kMiB);
  EXPECT_EQ(reading.limit_source, LimitSource::own);
  EXPECT_EQ((*source)->subject().outer_limit, 128 * kMiB);
  EXPECT_EQ((*source)->subject().host_bytes, 8192 * kMiB);
  EXPECT_GE((*source)->subject().charge_slack, 64U * 4096U);

  write_v1(tree, "268435456", "268435456");
  ASSERT_TRUE((*source)->read(reading));
  EXPECT_EQ(reading.limit, 128 * kMiB);
  EXPECT_EQ(reading.limit_source, LimitSource::ecs_task);
}

TEST(CgroupSource, TheHostsMemoryIsNoLimit) {
  test::FixtureTree tree;
  write_v1(tree, "9223372036854771712", "9223372036854771712");
  auto source = open_cgroup(tree.root(), v1_location(), {});
  ASSERT_TRUE(source) << source.error().line();
  Reading reading;
  ASSERT_TRUE((*source)->read(reading));
  EXPECT_FALSE(reading.limit);
  EXPECT_EQ(reading.limit_source, LimitSource::host);
}

TEST(CgroupSource, ReadsCountersAlone) {
  test::FixtureTree tree;
  write_v1(tree, "67108864", "67108864");
  auto source = open_cgroup(tree.root(), v1_location(), {});
  ASSERT_TRUE(source) << source.error().line();
  Reading reading;
  ASSERT_TRUE((*source)->read_counters(reading));
  EXPECT_EQ(reading.sample.deciding().oom_kill, 2U);
  EXPECT_EQ(reading.host_oom_kills, 2U);
}

TEST(CgroupSource, IsRefusedWhereUsageCannotBeRead) {
  test::FixtureTree tree;
  EXPECT_FALSE(open_cgroup(tree.root(), v1_location(), {}));
}

}  // namespace
}  // namespace oomdrill::probe
