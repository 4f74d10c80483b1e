#include "cgroup/reader.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <type_traits>

#include "fixture_tree.h"

namespace oomdrill::cgroup {
namespace {

using test::FixtureTree;

static_assert(!std::is_copy_constructible_v<Reader> && std::is_move_constructible_v<Reader>);

constexpr const char* kPressure =
    "some avg10=1.00 avg60=2.00 avg300=3.00 total=4\n"
    "full avg10=0.50 avg60=0.25 avg300=0.00 total=2\n";

Location at(Version version) {
  Location location;
  location.version = version;
  location.mount = location.directory = "/c";
  return location;
}

FixtureTree& v1_files(FixtureTree& tree) {
  return tree.file("/c/memory.usage_in_bytes", "1000\n")
      .file("/c/memory.max_usage_in_bytes", "2000\n")
      .file("/c/memory.limit_in_bytes", "67108864\n")
      .file("/c/memory.soft_limit_in_bytes", "9223372036854771712\n")
      .file("/c/memory.memsw.usage_in_bytes", "1300\n")
      .file("/c/memory.kmem.usage_in_bytes", "50\n")
      .file("/c/memory.failcnt", "7\n")
      .file("/c/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n")
      .file("/c/memory.stat", "total_cache 600\ntotal_rss 300\ntotal_inactive_file 200\n");
}

FixtureTree& v2_files(FixtureTree& tree) {
  return tree.file("/c/memory.current", "1000\n")
      .file("/c/memory.peak", "2000\n")
      .file("/c/memory.max", "67108864\n")
      .file("/c/memory.low", "0\n")
      .file("/c/memory.swap.current", "300\n")
      .file("/c/memory.events", "low 0\nhigh 0\nmax 5\noom 2\noom_kill 3\noom_group_kill 1\n")
      .file("/c/memory.events.local", "low 0\nhigh 0\nmax 4\noom 1\noom_kill 2\noom_group_kill 0\n")
      .file("/c/memory.pressure", kPressure)
      .file("/c/memory.stat", "anon 300\nfile 600\ninactive_file 200\nkernel 50\n");
}

Reader open(const FixtureTree& tree, Version version) {
  auto reader = Reader::open(tree.root(), at(version));
  if (!reader) throw std::runtime_error(reader.error().line());
  return std::move(*reader);
}

Sample read(const Reader& reader, Reader::Parts parts = {}) {
  Sample sample;
  const auto result = reader.read(sample, parts);
  EXPECT_TRUE(result) << result.error().line();
  return sample;
}

TEST(Reader, V1) {
  FixtureTree tree;
  const Reader reader = open(v1_files(tree), Version::v1);
  const Sample sample = read(reader);
  EXPECT_EQ(sample.current, 1000u);
  EXPECT_EQ(sample.peak, 2000u);
  EXPECT_EQ(sample.limit, 64u << 20);
  EXPECT_EQ(sample.soft_limit, std::nullopt);
  EXPECT_EQ(sample.swap, 300u);
  EXPECT_TRUE(sample.has_stat);
  EXPECT_EQ(sample.stat.anon, 300u);
  EXPECT_EQ(sample.stat.file, 600u);
  EXPECT_EQ(sample.stat.kernel, 50u);
  EXPECT_EQ(sample.own.oom_kill, 3u);
  EXPECT_EQ(sample.own.max, 7u);
  EXPECT_EQ(sample.own.oom, std::nullopt);
  EXPECT_EQ(sample.hierarchical.oom_kill, std::nullopt);
  EXPECT_EQ(sample.deciding().oom_kill, 3u);
  EXPECT_EQ(sample.pressure, std::nullopt);
  EXPECT_EQ(reader.events_fd(), -1);
}

TEST(Reader, V1SwapIsTheKernelsOwnCountWhereItIsRead) {
  FixtureTree tree;
  v1_files(tree).file("/c/memory.stat", "total_swap 12\n");
  const Reader reader = open(tree, Version::v1);
  EXPECT_EQ(read(reader).swap, 12u);
  EXPECT_EQ(read(reader, {.stat = false}).swap, 300u);
  tree.file("/c/memory.memsw.usage_in_bytes", "999\n");
  EXPECT_EQ(read(reader, {.stat = false}).swap, 0u);
  tree.remove("/c/memory.memsw.usage_in_bytes").file("/c/memory.stat", "total_cache 0\n");
  EXPECT_EQ(read(open(tree, Version::v1)).swap, std::nullopt);
}

TEST(Reader, V2) {
  FixtureTree tree;
  const Reader reader = open(v2_files(tree), Version::v2);
  const Sample sample = read(reader);
  EXPECT_EQ(sample.current, 1000u);
  EXPECT_EQ(sample.peak, 2000u);
  EXPECT_EQ(sample.limit, 64u << 20);
  EXPECT_EQ(sample.soft_limit, std::nullopt);
  EXPECT_EQ(sample.swap, 300u);
  EXPECT_EQ(sample.stat.anon, 300u);
  EXPECT_EQ(sample.stat.kernel, 50u);
  EXPECT_EQ(sample.own.oom, 1u);
  EXPECT_EQ(sample.own.oom_kill, 2u);
  EXPECT_EQ(sample.hierarchical.oom_kill, 3u);
  EXPECT_EQ(sample.hierarchical.oom_group_kill, 1u);
  EXPECT_EQ(sample.deciding().oom_kill, 3u);
  ASSERT_TRUE(sample.pressure);
  EXPECT_DOUBLE_EQ(sample.pressure->some.avg10, 1);
  EXPECT_EQ(sample.pressure->full.total_us, 2u);
  EXPECT_GE(reader.events_fd(), 0);
  tree.file("/c/memory.low", "33554432\n");
  EXPECT_EQ(read(reader).soft_limit, 32u << 20);
}

TEST(Reader, UsageAloneIsEnough) {
  for (const Version version : {Version::v1, Version::v2}) {
    FixtureTree tree;
    tree.file(version == Version::v1 ? "/c/memory.usage_in_bytes" : "/c/memory.current", "1\n");
    const Reader reader = open(tree, version);
    const Sample sample = read(reader);
    EXPECT_EQ(sample.current, 1u);
    EXPECT_EQ(sample.peak, std::nullopt);
    EXPECT_EQ(sample.swap, std::nullopt);
    EXPECT_EQ(sample.limit, std::nullopt);
    EXPECT_FALSE(sample.has_stat);
    EXPECT_EQ(sample.stat.kernel, std::nullopt);
    EXPECT_EQ(sample.deciding().oom_kill, std::nullopt);
    EXPECT_EQ(sample.pressure, std::nullopt);
    EXPECT_EQ(reader.events_fd(), -1);
  }
}

TEST(Reader, ZerosAreValues) {
  // As gVisor hard-codes them.
  FixtureTree tree;
  v2_files(tree)
      .file("/c/memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n")
      .remove("/c/memory.events.local");
  const Sample sample = read(open(tree, Version::v2));
  EXPECT_EQ(sample.hierarchical.oom_kill, 0u);
  EXPECT_EQ(sample.hierarchical.oom_group_kill, std::nullopt);
  EXPECT_EQ(sample.own.oom_kill, std::nullopt);
  EXPECT_EQ(sample.deciding().oom_kill, 0u);
}

TEST(Reader, LeavesOutThePartsThatAreNotAskedFor) {
  FixtureTree tree;
  const Reader reader = open(v2_files(tree), Version::v2);
  Sample sample = read(reader);
  ASSERT_TRUE(reader.read(sample, {.stat = false, .pressure = false}));
  EXPECT_FALSE(sample.has_stat);
  EXPECT_EQ(sample.stat.anon, std::nullopt);
  EXPECT_EQ(sample.pressure, std::nullopt);
  EXPECT_EQ(sample.hierarchical.oom_kill, 3u);
}

TEST(Reader, ReadsItsHeldFilesAnewEachTime) {
  FixtureTree tree;
  const Reader opened = open(v2_files(tree), Version::v2);
  tree.file("/c/memory.current", "1001\n").file("/c/memory.events", "oom_kill 4\n");
  EXPECT_EQ(read(opened).current, 1001u);
  Sample sample;
  ASSERT_TRUE(opened.read_counters(sample));
  EXPECT_EQ(sample.hierarchical.oom_kill, 4u);
  EXPECT_EQ(sample.hierarchical.max, std::nullopt);
  EXPECT_EQ(sample.own.oom_kill, 2u);
  EXPECT_EQ(sample.current, 0u);
}

TEST(Reader, OutlivesItsFoldersName) {
  FixtureTree tree;
  Reader first = open(v2_files(tree), Version::v2);
  const Reader reader = std::move(first);
  std::filesystem::rename(tree.path() + "/c", tree.path() + "/d");
  EXPECT_EQ(read(reader).current, 1000u);
  EXPECT_EQ(reader.location().directory, "/c");
}

TEST(Reader, AnErrorNamesPathAndLineAndLeavesTheSample) {
  FixtureTree tree;
  const Reader reader = open(v2_files(tree), Version::v2);
  const Sample before = read(reader);
  const struct {
    const char* path;
    const char* text;
    const char* error;
  } cases[] = {
      {"/c/memory.current", "many\n", "/c/memory.current:1: 'many?' is no number"},
      {"/c/memory.current", "", "/c/memory.current:1: '' is no number"},
      {"/c/memory.peak", "-1\n", "/c/memory.peak:1: '-1?' is no number"},
      {"/c/memory.max", "maximum\n", "/c/memory.max:1: 'maximum?' is neither"},
      {"/c/memory.stat", "file 1\nnew x\nanon x\n", "/c/memory.stat:3: 'anon x' has no number"},
      {"/c/memory.events", "oom_kill\n", "/c/memory.events:1: 'oom_kill' has no number"},
      {"/c/memory.events.local", "\noom y\n", "/c/memory.events.local:2: 'oom y' has no number"},
      {"/c/memory.pressure", "some avg10=x\n",
       "/c/memory.pressure:1: 'some avg10=x' is no pressure"},
  };
  for (const auto& [path, text, error] : cases) {
    tree.file(path, text);
    Sample sample = before;
    const auto result = reader.read(sample);
    ASSERT_FALSE(result) << path;
    EXPECT_NE(result.error().line().find(error), std::string::npos) << result.error().line();
    EXPECT_EQ(sample.current, before.current);
    EXPECT_EQ(sample.stat.anon, before.stat.anon);
    const auto reopened = Reader::open(tree.root(), at(Version::v2));
    EXPECT_FALSE(reopened) << path;
    v2_files(tree);
  }
  EXPECT_TRUE(reader.read_counters(*std::make_unique<Sample>()));
}

TEST(Reader, TakesTheWholeLinesOfAHugeFileAndRefusesAHugeNumber) {
  FixtureTree tree;
  v2_files(tree);
  std::string huge = "anon 300\n";
  while (huge.size() < (1 << 20)) huge += "key_" + std::to_string(huge.size()) + " 1\n";
  tree.file("/c/memory.stat", huge);
  EXPECT_EQ(read(open(tree, Version::v2)).stat.anon, 300u);
  tree.file("/c/memory.current", std::string(1 << 20, '1'));
  EXPECT_FALSE(Reader::open(tree.root(), at(Version::v2)));
}

TEST(Reader, WithoutUsageThereIsNothingToWatch) {
  FixtureTree tree;
  v2_files(tree).remove("/c/memory.current");
  const auto reader = Reader::open(tree.root(), at(Version::v2));
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().errnum, ENOENT);
  EXPECT_NE(reader.error().line().find("/c/memory.current: cannot open"), std::string::npos);
}

TEST(Observers, V1EcsSubtractsTheCacheAndOthersTheInactiveFiles) {
  Sample sample;
  sample.current = 1000;
  sample.stat.file = 600;
  sample.stat.inactive_file = 200;
  EXPECT_EQ(ecs_used(sample, Version::v1), 400u);
  EXPECT_EQ(ecs_used(sample, Version::v2), 800u);
  EXPECT_EQ(working_set(sample), 800u);
  sample.stat.file = sample.stat.inactive_file = 1001;
  EXPECT_EQ(ecs_used(sample, Version::v1), 0u);
  EXPECT_EQ(ecs_used(sample, Version::v2), 0u);
  EXPECT_EQ(working_set(sample), 0u);
  sample.stat = {};
  EXPECT_EQ(ecs_used(sample, Version::v1), std::nullopt);
  EXPECT_EQ(ecs_used(sample, Version::v2), std::nullopt);
  EXPECT_EQ(working_set(sample), std::nullopt);
}

TEST(HostOomCounter, ReadsVmstatByKey) {
  FixtureTree tree;
  EXPECT_FALSE(HostOomCounter::open(tree.root()));
  tree.file("/proc/vmstat", "nr_free_pages 1\noom_kill 5\nnew x\n");
  const auto counter = HostOomCounter::open(tree.root());
  ASSERT_TRUE(counter);
  EXPECT_EQ(counter->read(), 5u);
  tree.file("/proc/vmstat", "oom_kill 6");
  EXPECT_EQ(counter->read(), 6u);
  for (const char* none : {"nr_free_pages 1\n", "", "oom_kill x\n"}) {
    tree.file("/proc/vmstat", none);
    EXPECT_EQ(counter->read(), std::nullopt) << none;
  }
}

}  // namespace
}  // namespace oomdrill::cgroup
