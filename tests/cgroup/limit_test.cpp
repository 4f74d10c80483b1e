#include "cgroup/limit.h"

#include <gtest/gtest.h>

#include "fixture_tree.h"

namespace oomdrill::cgroup {
namespace {

using test::FixtureTree;

constexpr std::uint64_t kMiB = 1 << 20;
const std::string kUnlimited = "9223372036854771712\n";

Location v1_location() {
  Location location;
  location.version = Version::v1;
  location.mount = "/m";
  location.directory = "/m/a/b";
  location.ancestors = {"/m/a", "/m"};
  return location;
}

Location v2_location() {
  Location location = v1_location();
  location.version = Version::v2;
  return location;
}

EffectiveLimit resolve(const FixtureTree& tree, const Location& location) {
  auto candidates = collect_limits(tree.root(), location);
  EXPECT_TRUE(candidates) << candidates.error().line();
  return resolve_limit(*candidates, location.ancestors_hidden);
}

TEST(CollectLimits, V2TakesTheLeastOfOwnAndAncestors) {
  FixtureTree tree;
  tree.file("/proc/meminfo", "MemTotal: 1048576 kB\n")
      .file("/m/a/b/memory.max", "67108864\n")
      .file("/m/a/memory.max", "33554432\n");  // /m is the root: it has none
  const EffectiveLimit limit = resolve(tree, v2_location());
  EXPECT_EQ(limit.bytes, 32 * kMiB);
  EXPECT_EQ(limit.source, LimitSource::ancestor);
  EXPECT_EQ(limit.where, "/m/a/memory.max");
  EXPECT_TRUE(limit.complete);
  EXPECT_TRUE(limit.is_cgroup_limit());
  ASSERT_EQ(limit.considered.size(), 3u);
  EXPECT_EQ(limit.considered[0].where, "/m/a/b/memory.max");
  EXPECT_EQ(limit.considered[2].source, LimitSource::host);
}

TEST(CollectLimits, MaxEverywhereLeavesTheHost) {
  FixtureTree tree;
  tree.file("/proc/meminfo", "MemTotal: 1048576 kB\n")
      .file("/m/a/b/memory.max", "max\n")
      .file("/m/a/memory.max", "max\n");
  const EffectiveLimit limit = resolve(tree, v2_location());
  EXPECT_EQ(limit.bytes, 1024 * kMiB);
  EXPECT_EQ(limit.source, LimitSource::host);
  EXPECT_FALSE(limit.is_cgroup_limit());
  ASSERT_EQ(limit.considered.size(), 3u);
  EXPECT_EQ(limit.considered[0].source, LimitSource::own);
  EXPECT_EQ(limit.considered[0].bytes, std::nullopt);
}

TEST(CollectLimits, NothingReadableIsUnknown) {
  FixtureTree tree;
  const EffectiveLimit limit = resolve(tree, v2_location());
  EXPECT_EQ(limit.bytes, std::nullopt);
  EXPECT_EQ(limit.source, LimitSource::unknown);
  EXPECT_FALSE(limit.is_cgroup_limit());
}

TEST(CollectLimits, V1HierarchicalShowsAHiddenAncestorsLimit) {
  FixtureTree tree;
  Location location = v1_location();
  location.directory = location.mount;
  location.ancestors.clear();
  location.ancestors_hidden = true;
  tree.file("/proc/meminfo", "MemTotal: 1048576 kB\n")
      .file("/m/memory.limit_in_bytes", kUnlimited)
      .file("/m/memory.stat", "cache 0\nhierarchical_memory_limit 67108864\n");
  const EffectiveLimit limit = resolve(tree, location);
  EXPECT_EQ(limit.bytes, 64 * kMiB);
  EXPECT_EQ(limit.source, LimitSource::hierarchical);
  EXPECT_EQ(limit.where, "/m/memory.stat");
  EXPECT_TRUE(limit.complete);
}

TEST(CollectLimits, V1WithoutHierarchicalAndWithHiddenAncestorsIsIncomplete) {
  FixtureTree tree;
  Location location = v1_location();
  location.ancestors_hidden = true;
  tree.file("/m/a/b/memory.limit_in_bytes", "67108864\n").file("/m/a/b/memory.stat", "cache 0\n");
  EXPECT_FALSE(resolve(tree, location).complete);
}

TEST(CollectLimits, V1AncestorBindsOnlyWithUseHierarchy) {
  FixtureTree tree;
  tree.file("/m/a/b/memory.limit_in_bytes", kUnlimited)
      .file("/m/a/memory.limit_in_bytes", "33554432\n")
      .file("/m/a/memory.use_hierarchy", "1\n")
      .file("/m/memory.limit_in_bytes", "16777216\n")
      .file("/m/memory.use_hierarchy", "0\n")
      .file("/m/a/b/memory.stat", "hierarchical_memory_limit 33554432\n");
  const EffectiveLimit limit = resolve(tree, v1_location());
  EXPECT_EQ(limit.bytes, 32 * kMiB);
  EXPECT_EQ(limit.source, LimitSource::ancestor);
  EXPECT_EQ(limit.considered.size(), 3u);
}

TEST(CollectLimits, WhatDoesNotParseIsAnErrorWithItsPath) {
  for (const char* path : {"/m/a/b/memory.max", "/m/a/memory.max", "/proc/meminfo"}) {
    FixtureTree tree;
    tree.file(path, "lots\n");
    const auto candidates = collect_limits(tree.root(), v2_location());
    ASSERT_FALSE(candidates) << path;
    EXPECT_NE(candidates.error().line().find(path), std::string::npos) << candidates.error().line();
  }
  for (const char* path :
       {"/m/a/b/memory.limit_in_bytes", "/m/memory.limit_in_bytes", "/m/a/b/memory.stat"}) {
    FixtureTree tree;
    tree.file(path, "hierarchical_memory_limit lots\n");
    const auto candidates = collect_limits(tree.root(), v1_location());
    ASSERT_FALSE(candidates) << path;
    EXPECT_NE(candidates.error().line().find(path), std::string::npos) << candidates.error().line();
  }
}

TEST(CollectLimits, WhatCannotBeReadIsAnError) {
  FixtureTree tree;
  tree.file("/m/a/b/memory.max/x", "");  // a folder: EISDIR
  EXPECT_FALSE(collect_limits(tree.root(), v2_location()));
}

TEST(ResolveLimit, TheNearerWinsATie) {
  using enum LimitSource;
  std::vector<LimitCandidate> candidates;
  for (const LimitSource source : {host, ecs_task, ecs_container, hierarchical}) {
    candidates.push_back({source, kMiB, ""});
    EXPECT_EQ(resolve_limit(candidates, false).source, source);
  }
  candidates.push_back({ancestor, kMiB, "near"});
  candidates.push_back({ancestor, kMiB, "far"});
  EXPECT_EQ(resolve_limit(candidates, false).source, ancestor);
  EXPECT_EQ(resolve_limit(candidates, false).where, "near");
  candidates.push_back({own, kMiB, ""});
  EXPECT_EQ(resolve_limit(candidates, false).source, own);
  candidates.push_back({ecs_task, kMiB - 1, ""});
  EXPECT_EQ(resolve_limit(candidates, false).source, ecs_task);
}

TEST(ResolveLimit, SaysWhenALowerOneMayBindUnseen) {
  const LimitCandidate own{LimitSource::own, kMiB, ""};
  const LimitCandidate host{LimitSource::host, 9 * kMiB, ""};
  EXPECT_TRUE(resolve_limit({own, host}, false).complete);
  EXPECT_FALSE(resolve_limit({own, host}, true).complete);
  // What covers the hidden part does so even where it sets no limit.
  for (const LimitSource source :
       {LimitSource::hierarchical, LimitSource::ecs_container, LimitSource::ecs_task}) {
    EXPECT_TRUE(resolve_limit({own, {source, std::nullopt, ""}, host}, true).complete);
  }
}

TEST(LimitSource, NamesAreThoseOfTheEvents) {
  EXPECT_EQ(name(LimitSource::own), "own");
  EXPECT_EQ(name(LimitSource::ancestor), "ancestor");
  EXPECT_EQ(name(LimitSource::hierarchical), "hierarchical");
  EXPECT_EQ(name(LimitSource::ecs_container), "ecs_container");
  EXPECT_EQ(name(LimitSource::ecs_task), "ecs_task");
  EXPECT_EQ(name(LimitSource::host), "host");
  EXPECT_EQ(name(LimitSource::unknown), "unknown");
}

}  // namespace
}  // namespace oomdrill::cgroup
