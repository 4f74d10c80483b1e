#include "supervise/child.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "fixture_tree.h"
#include "supervise/process_stat.h"
#include "supervise/supervisor.h"

namespace oomdrill::probe {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

std::string stat_line(const std::string& comm, char state, unsigned flags, unsigned pending) {
  std::string text = "42 (" + comm + ") " + state + " 1 42 42 0 -1 " + std::to_string(flags);
  for (int field = 10; field <= 30; ++field) text += " 0";
  return text + " " + std::to_string(pending) + " 0 0 0 0 0 0 17 1 0 0\n";
}

TEST(ProcessStat, TellsWhoIsDying) {
  const auto dying = [](char state, unsigned flags, unsigned pending) {
    return parse_process_stat(stat_line("sh", state, flags, pending))->dying;
  };
  EXPECT_FALSE(dying('S', 0x400000, 0));
  EXPECT_FALSE(dying('R', 0, 1 << 14)) << "SIGTERM is pending, which it may survive";
  EXPECT_TRUE(dying('R', 0, 1 << 8)) << "SIGKILL is pending";
  EXPECT_TRUE(dying('D', 0x4, 0)) << "PF_EXITING";
  EXPECT_TRUE(dying('Z', 0, 0));
}

TEST(ProcessStat, ANameMayHoldParenthesesAndSpaces) {
  const auto text = stat_line("a) S 1 (b", 'R', 0, 0);
  const auto stat = parse_process_stat(text);
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->comm, "a) S 1 (b");
  EXPECT_EQ(stat->state, 'R');
}

TEST(ProcessStat, TellsASigkillAndTheSize) {
  const auto pending = parse_process_stat(stat_line("sh", 'R', 0, 1 << 8));
  EXPECT_TRUE(pending->sigkilled);
  EXPECT_FALSE(parse_process_stat(stat_line("sh", 'Z', 0, 0))->sigkilled);
  std::string zombie = stat_line("sh", 'Z', 0, 0);
  zombie.pop_back();
  for (int field = 42; field < 52; ++field) zombie += " 0";
  EXPECT_TRUE(parse_process_stat(zombie + " 9\n")->sigkilled);
  EXPECT_FALSE(parse_process_stat(zombie + " 256\n")->sigkilled) << "exit 1";
}

TEST(ProcessStat, RefusesWhatIsNoStatLine) {
  for (const char* text : {"", "42", "42 (sh", "42 (sh) S 1 2", ")("}) {
    EXPECT_FALSE(parse_process_stat(text)) << text;
  }
}

TEST(ProcessStat, ReadsTheKernelsOwn) {
  const auto text = read_file("/proc/self/stat");
  ASSERT_TRUE(text);
  const auto stat = parse_process_stat(*text);
  ASSERT_TRUE(stat);
  EXPECT_FALSE(stat->dying);
  EXPECT_FALSE(stat->comm.empty());
}

TEST(RaisedScore, WeighsAsMuchAsTheProbeAtTheLimit) {
  EXPECT_EQ(raised_score(0, 64 * kMiB), 126);
  EXPECT_EQ(raised_score(0, 512 * kMiB), 16);
  EXPECT_EQ(raised_score(0, 64 * 1024 * kMiB), 1);
  EXPECT_EQ(raised_score(100, 512 * kMiB), 116);
  EXPECT_EQ(raised_score(0, 4 * kMiB), 500) << "never half of the limit or more";
  EXPECT_EQ(raised_score(900, 4 * kMiB), 1000);
  EXPECT_EQ(raised_score(0, std::nullopt), 1);
  EXPECT_EQ(raised_score(-999, std::nullopt), -998);
}

TEST(OomScoreAdj, IsAbsentWithoutProc) {
  test::FixtureTree tree;
  EXPECT_FALSE(read_oom_score_adj(tree.root(), "self"));
  tree.file("/proc/7/oom_score_adj", "-17\n");
  EXPECT_EQ(read_oom_score_adj(tree.root(), "7"), -17);
}

TEST(ProcessName, IsCutAsTheKernelDoes) {
  EXPECT_EQ(ProcessName("a-very-long-process-name").view(), "a-very-long-pro");
  EXPECT_EQ(ProcessName().view(), "");
}

}  // namespace
}  // namespace oomdrill::probe
