#include "v2/parse.h"

#include <gtest/gtest.h>

namespace oomdrill::cgroup::v2 {
namespace {

TEST(V2Stat, ReadsByKeyAndPassesOverNewOnes) {
  const auto stat = parse_stat(
      "anon 1\nfile 2\nkernel 3\nkernel_stack 4\npagetables 5\nsock 6\nshmem 7\nfuture 1 2\n"
      "file_mapped 8\nfile_dirty 9\nanon_thp 10\ninactive_anon 11\nactive_anon 12\n"
      "inactive_file 13\nactive_file 14\nunevictable 15\nslab 16\nworkingset_refault_file 17\n"
      "pgfault 18\npgmajfault 19",
      "f");
  ASSERT_TRUE(stat) << stat.error().line();
  EXPECT_EQ(stat->anon, 1u);
  EXPECT_EQ(stat->file, 2u);
  EXPECT_EQ(stat->kernel, 3u);
  EXPECT_EQ(stat->kernel_stack, 4u);
  EXPECT_EQ(stat->pagetables, 5u);
  EXPECT_EQ(stat->sock, 6u);
  EXPECT_EQ(stat->shmem, 7u);
  EXPECT_EQ(stat->file_mapped, 8u);
  EXPECT_EQ(stat->file_dirty, 9u);
  EXPECT_EQ(stat->anon_thp, 10u);
  EXPECT_EQ(stat->inactive_anon, 11u);
  EXPECT_EQ(stat->active_anon, 12u);
  EXPECT_EQ(stat->inactive_file, 13u);
  EXPECT_EQ(stat->active_file, 14u);
  EXPECT_EQ(stat->unevictable, 15u);
  EXPECT_EQ(stat->slab, 16u);
  EXPECT_EQ(stat->workingset_refault_file, 17u);
  EXPECT_EQ(stat->pgfault, 18u);
  EXPECT_EQ(stat->pgmajfault, 19u);
}

TEST(V2Stat, TakesTheNameThatRefaultsHadBefore59) {
  EXPECT_EQ(parse_stat("workingset_refault 5\n", "f")->workingset_refault_file, 5u);
}

TEST(V2Stat, ErrorNamesPathAndLine) {
  for (const char* line : {"anon x", "anon", "anon ", "anon  1", "anon 1 2", "anon -1"}) {
    const auto stat = parse_stat("file 1\n\n" + std::string(line) + "\n", "/memory.stat");
    ASSERT_FALSE(stat) << line;
    EXPECT_EQ(stat.error().line(), "/memory.stat:3: '" + std::string(line) + "' has no number");
  }
}

TEST(V2Events, AbsentIsAbsentAndZeroIsZero) {
  const auto before417 = parse_events("low 0\nhigh 1\nmax 2\noom 3\n", "f");
  EXPECT_EQ(before417->low, 0u);
  EXPECT_EQ(before417->high, 1u);
  EXPECT_EQ(before417->max, 2u);
  EXPECT_EQ(before417->oom, 3u);
  EXPECT_EQ(before417->oom_kill, std::nullopt);
  const auto now = parse_events("oom_kill 4\noom_group_kill 1\nsock_throttled 9\n", "f");
  EXPECT_EQ(now->oom_kill, 4u);
  EXPECT_EQ(now->oom_group_kill, 1u);
  EXPECT_EQ(now->low, std::nullopt);
}

}  // namespace
}  // namespace oomdrill::cgroup::v2
