// Trees that tests/fixtures/cgroup/capture copied from real kernels, in each case after one process
// had been OOM-killed there. What is expected stands in the file that is named beside it.
#include <gtest/gtest.h>

#include "cgroup/limit.h"
#include "cgroup/reader.h"
#include "tree.h"

namespace oomdrill::cgroup {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kHost = 24683620 * std::uint64_t{1024};  // MemTotal
const std::string kId = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const std::string kTask = "fedcba9876543210fedcba9876543210";

struct Captured {
  explicit Captured(const std::string& name) : root(test::fixtures() + "/cgroup/" + name) {
    const auto found = locate(root);
    if (!found) throw std::runtime_error(found.error().line());
    location = *found;
    const auto candidates = collect_limits(root, location);
    if (!candidates) throw std::runtime_error(candidates.error().line());
    limit = resolve_limit(*candidates, location.ancestors_hidden);
  }
  [[nodiscard]] Sample sample() const {
    const auto reader = Reader::open(root, location);
    if (!reader) throw std::runtime_error(reader.error().line());
    Sample out;
    const auto result = reader->read(out);
    if (!result) throw std::runtime_error(result.error().line());
    return out;
  }
  [[nodiscard]] Count host_oom_kills() const { return HostOomCounter::open(root)->read(); }

  FileRoot root;
  Location location;
  EffectiveLimit limit;
};

TEST(Captured, V1DockerWithAMemoryLimit) {
  const Captured tree("v1-docker");
  EXPECT_EQ(tree.location.version, Version::v1);
  EXPECT_EQ(tree.location.layout, Layout::v1);
  EXPECT_EQ(tree.location.directory, "/sys/fs/cgroup/memory");
  EXPECT_EQ(tree.location.kernel_path, "/docker/" + kId);
  EXPECT_EQ(tree.location.container_id, kId);
  EXPECT_TRUE(tree.location.ancestors_hidden);
  EXPECT_TRUE(tree.location.read_only);
  EXPECT_FALSE(tree.location.is_root);
  EXPECT_EQ(tree.limit.bytes, 64 * kMiB);
  EXPECT_EQ(tree.limit.source, LimitSource::own);
  EXPECT_TRUE(tree.limit.complete);

  const Sample sample = tree.sample();
  EXPECT_EQ(sample.current, 1495040u);           // memory.usage_in_bytes
  EXPECT_EQ(sample.peak, 64 * kMiB);             // memory.max_usage_in_bytes
  EXPECT_EQ(sample.limit, 64 * kMiB);            // memory.limit_in_bytes
  EXPECT_EQ(sample.soft_limit, std::nullopt);    // memory.soft_limit_in_bytes
  EXPECT_EQ(sample.swap, 0u);                    // memory.stat: total_swap
  EXPECT_EQ(sample.stat.anon, 450560u);          // memory.stat: total_rss
  EXPECT_EQ(sample.stat.file, 53248u);           // memory.stat: total_cache
  EXPECT_EQ(sample.stat.inactive_file, 49152u);  // memory.stat: total_inactive_file
  EXPECT_EQ(sample.stat.kernel, 806912u);        // memory.kmem.usage_in_bytes
  EXPECT_EQ(sample.stat.slab, std::nullopt);
  EXPECT_EQ(sample.deciding().oom_kill, 1u);  // memory.oom_control
  EXPECT_EQ(sample.own.max, 93u);             // memory.failcnt
  EXPECT_EQ(sample.pressure, std::nullopt);
  EXPECT_EQ(ecs_used(sample, Version::v1), 1495040u - 53248u);
  EXPECT_EQ(working_set(sample), 1495040u - 49152u);
  EXPECT_EQ(tree.host_oom_kills(), 2u);  // /proc/vmstat
}

TEST(Captured, V1UnderATasksLimitAsOnEcs) {
  const Captured tree("v1-ecs");
  EXPECT_EQ(tree.location.directory, "/sys/fs/cgroup/memory");
  EXPECT_EQ(tree.location.container_id, kId);
  EXPECT_EQ(tree.location.ecs_task_id, kTask);
  EXPECT_TRUE(tree.location.ancestors_hidden);
  EXPECT_EQ(tree.limit.bytes, 48 * kMiB);
  EXPECT_EQ(tree.limit.source, LimitSource::hierarchical);
  EXPECT_EQ(tree.limit.where, "/sys/fs/cgroup/memory/memory.stat");
  EXPECT_TRUE(tree.limit.complete);
  EXPECT_TRUE(tree.limit.is_cgroup_limit());

  const Sample sample = tree.sample();
  EXPECT_EQ(sample.limit, std::nullopt);
  // Killed by the task's limit: the own one was never met.
  EXPECT_EQ(sample.deciding().oom_kill, 1u);
  EXPECT_EQ(sample.own.max, 0u);
}

TEST(Captured, V1DockerInAPrivateNamespace) {
  // Nothing in mountinfo tells that ancestors are hidden: both paths are "/".
  const Captured tree("v1-docker-private-namespace");
  EXPECT_EQ(tree.location.kernel_path, "/");
  EXPECT_EQ(tree.location.directory, "/sys/fs/cgroup/memory");
  EXPECT_TRUE(tree.location.ancestors_hidden);
  EXPECT_FALSE(tree.location.is_root);
  EXPECT_EQ(tree.location.container_id, std::nullopt);
  EXPECT_EQ(tree.limit.bytes, 64 * kMiB);
  EXPECT_EQ(tree.limit.source, LimitSource::own);
  EXPECT_EQ(tree.sample().deciding().oom_kill, 1u);
}

TEST(Captured, V1ChildOnAHybridHost) {
  const Captured tree("v1-hybrid-host");
  const std::string parent = "/sys/fs/cgroup/memory/oomdrill-cgroup-fixture";
  EXPECT_EQ(tree.location.layout, Layout::hybrid);
  EXPECT_EQ(tree.location.directory, parent + "/inner");
  EXPECT_EQ(tree.location.ancestors, (std::vector<std::string>{parent, "/sys/fs/cgroup/memory"}));
  EXPECT_FALSE(tree.location.ancestors_hidden);
  EXPECT_FALSE(tree.location.read_only);
  EXPECT_EQ(tree.limit.bytes, 64 * kMiB);
  EXPECT_EQ(tree.limit.source, LimitSource::ancestor);
  EXPECT_EQ(tree.limit.where, parent + "/memory.limit_in_bytes");
  // Own, two ancestors, hierarchical, host.
  ASSERT_EQ(tree.limit.considered.size(), 5u);
  EXPECT_EQ(tree.limit.considered[4].bytes, kHost);
  EXPECT_EQ(tree.sample().deciding().oom_kill, 1u);
  EXPECT_EQ(tree.sample().own.max, 0u);

  const auto machine = locate_directory(tree.root, "/sys/fs/cgroup/memory");
  ASSERT_TRUE(machine) << machine.error().line();
  EXPECT_TRUE(machine->is_root);
  const auto reader = Reader::open(tree.root, *machine);
  EXPECT_TRUE(reader) << reader.error().line();
}

TEST(Captured, V2DockerInAPrivateNamespace) {
  const Captured tree("v2-docker");
  EXPECT_EQ(tree.location.version, Version::v2);
  EXPECT_EQ(tree.location.layout, Layout::v2);
  EXPECT_EQ(tree.location.directory, "/sys/fs/cgroup");
  EXPECT_EQ(tree.location.kernel_path, "/");
  EXPECT_TRUE(tree.location.ancestors_hidden);
  EXPECT_TRUE(tree.location.read_only);
  EXPECT_FALSE(tree.location.is_root);
  EXPECT_EQ(tree.location.container_id, std::nullopt);
  EXPECT_EQ(tree.limit.bytes, 64 * kMiB);
  EXPECT_EQ(tree.limit.source, LimitSource::own);
  EXPECT_FALSE(tree.limit.complete);

  const Sample sample = tree.sample();
  EXPECT_EQ(sample.current, 1482752u);         // memory.current
  EXPECT_EQ(sample.peak, 64 * kMiB);           // memory.peak
  EXPECT_EQ(sample.limit, 64 * kMiB);          // memory.max
  EXPECT_EQ(sample.soft_limit, std::nullopt);  // memory.low: 0
  EXPECT_EQ(sample.swap, 0u);                  // memory.swap.current
  EXPECT_EQ(sample.stat.anon, 454656u);        // memory.stat, and below
  EXPECT_EQ(sample.stat.file, 94208u);
  EXPECT_EQ(sample.stat.shmem, 0u);
  EXPECT_EQ(sample.stat.inactive_file, 69632u);
  EXPECT_EQ(sample.stat.kernel, 765952u);
  EXPECT_EQ(sample.stat.kernel_stack, 81920u);
  EXPECT_EQ(sample.stat.slab, 365928u);
  EXPECT_EQ(sample.own.oom, 1u);  // memory.events.local
  EXPECT_EQ(sample.own.max, 19u);
  EXPECT_EQ(sample.hierarchical.oom_kill, 1u);  // memory.events
  EXPECT_EQ(sample.hierarchical.oom_group_kill, 0u);
  ASSERT_TRUE(sample.pressure);
  EXPECT_EQ(sample.pressure->some.total_us, 28883u);  // memory.pressure
  EXPECT_EQ(ecs_used(sample, Version::v2), 1482752u - 69632u);
  EXPECT_EQ(working_set(sample), 1482752u - 69632u);
  EXPECT_EQ(tree.host_oom_kills(), 2u);  // /proc/vmstat
}

TEST(Captured, V2DockerInTheHostsNamespace) {
  const Captured tree("v2-docker-host-namespace");
  EXPECT_EQ(tree.location.directory, "/sys/fs/cgroup/docker/" + kId);
  EXPECT_EQ(tree.location.ancestors,
            (std::vector<std::string>{"/sys/fs/cgroup/docker", "/sys/fs/cgroup"}));
  EXPECT_EQ(tree.location.container_id, kId);
  EXPECT_FALSE(tree.location.ancestors_hidden);
  EXPECT_TRUE(tree.location.read_only);
  EXPECT_EQ(tree.limit.source, LimitSource::own);
  EXPECT_TRUE(tree.limit.complete);
  EXPECT_EQ(tree.sample().own.max, 38u);
}

TEST(Captured, V2ChildUnderAnAncestorsLimit) {
  const Captured tree("v2-child");
  const std::string parent = "/sys/fs/cgroup/oomdrill-cgroup-fixture";
  EXPECT_EQ(tree.location.directory, parent + "/inner");
  EXPECT_FALSE(tree.location.ancestors_hidden);
  EXPECT_FALSE(tree.location.read_only);
  EXPECT_EQ(tree.limit.bytes, 64 * kMiB);
  EXPECT_EQ(tree.limit.source, LimitSource::ancestor);
  EXPECT_EQ(tree.limit.where, parent + "/memory.max");
  // Own, one ancestor (the root has no limit file), host.
  EXPECT_EQ(tree.limit.considered.size(), 3u);
  // Killed by the ancestor's limit (facts.md, 2).
  const Sample sample = tree.sample();
  EXPECT_EQ(sample.own.oom, 0u);
  EXPECT_EQ(sample.own.max, 0u);
  EXPECT_EQ(sample.own.oom_kill, 1u);
}

TEST(Captured, V2RootHasNoUsage) {
  const Captured tree("v2-root");
  EXPECT_TRUE(tree.location.is_root);
  EXPECT_FALSE(tree.location.ancestors_hidden);
  EXPECT_EQ(tree.limit.source, LimitSource::host);
  EXPECT_FALSE(Reader::open(tree.root, tree.location));
}

}  // namespace
}  // namespace oomdrill::cgroup
