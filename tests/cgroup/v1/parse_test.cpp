#include "v1/parse.h"

#include <gtest/gtest.h>

namespace oomdrill::cgroup::v1 {
namespace {

TEST(V1Stat, MapsOntoV2NamesAndPrefersTotals) {
  const auto stat = parse_stat(
      "cache 1\nrss 2\nrss_huge 3\nshmem 4\nmapped_file 5\ndirty 6\ninactive_file 7\n"
      "hierarchical_memory_limit 67108864\n"
      "total_cache 10\ntotal_rss 20\ntotal_shmem 40\ntotal_inactive_file 70\ntotal_swap 80\n",
      "f");
  ASSERT_TRUE(stat) << stat.error().line();
  EXPECT_EQ(stat->stat.file, 10u);
  EXPECT_EQ(stat->stat.anon, 20u);
  EXPECT_EQ(stat->stat.shmem, 40u);
  EXPECT_EQ(stat->stat.inactive_file, 70u);
  EXPECT_EQ(stat->swap, 80u);
  EXPECT_EQ(stat->hierarchical_limit, 64u << 20);
  // Only local ones are here.
  EXPECT_EQ(stat->stat.anon_thp, 3u);
  EXPECT_EQ(stat->stat.file_mapped, 5u);
  EXPECT_EQ(stat->stat.file_dirty, 6u);
  // v1 does not account these there.
  EXPECT_EQ(stat->stat.kernel, std::nullopt);
  EXPECT_EQ(stat->stat.slab, std::nullopt);
}

TEST(V1Stat, TotalsWinInAnyOrder) {
  const auto stat = parse_stat("total_rss 20\nrss 2", "f");
  EXPECT_EQ(stat->stat.anon, 20u);
}

TEST(V1Stat, AbsentIsAbsent) {
  const auto stat = parse_stat("rss 0\nsomething_new 1 2 3\nodd\n", "f");
  ASSERT_TRUE(stat) << stat.error().line();
  EXPECT_EQ(stat->stat.anon, 0u);
  EXPECT_EQ(stat->stat.file, std::nullopt);
  EXPECT_EQ(stat->hierarchical_limit, std::nullopt);
  EXPECT_TRUE(parse_stat("", "f"));
}

TEST(V1Stat, ErrorNamesPathAndLine) {
  const auto stat = parse_stat("cache 1\nrss 2\ntotal_rss x\n", "/memory.stat");
  ASSERT_FALSE(stat);
  EXPECT_EQ(stat.error().line(), "/memory.stat:3: 'total_rss x' has no number");
}

TEST(V1OomControl, HasOomKillSince413) {
  EXPECT_EQ(parse_oom_control("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n", "f")->oom_kill, 3u);
  EXPECT_EQ(parse_oom_control("oom_kill_disable 1\nunder_oom 0\n", "f")->oom_kill_disable, 1u);
  EXPECT_EQ(parse_oom_control("oom_kill_disable 0\nunder_oom 0\n", "f")->oom_kill, std::nullopt);
  EXPECT_FALSE(parse_oom_control("oom_kill 99999999999999999999\n", "f"));
}

}  // namespace
}  // namespace oomdrill::cgroup::v1
