#include "supervise/process_table.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "fixture_tree.h"
#include "supervise/victims.h"

namespace oomdrill::probe {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

std::string stat_line(int pid, const std::string& comm, std::uint64_t rss_pages, char state = 'S',
                      int pending = 0, int exit_code = 0) {
  std::string text = std::to_string(pid) + " (" + comm + ") " + state;
  for (int field = 4; field <= 52; ++field) {
    text += field == 23   ? " 1048576"
            : field == 24 ? " " + std::to_string(rss_pages)
            : field == 31 ? " " + std::to_string(pending)
            : field == 52 ? " " + std::to_string(exit_code)
                          : " 0";
  }
  return text + "\n";
}

/// A cgroup "/c" with two processes, the newest pid being 20.
class ProcessTableTest : public ::testing::Test {
 protected:
  ProcessTableTest() {
    process(10, "master", 100);
    process(20, "worker", 5000);
    listed("10\n20\n", 20);
  }
  void process(int pid, const std::string& comm, std::uint64_t rss_pages) {
    const std::string folder = "/proc/" + std::to_string(pid);
    tree.file(folder + "/stat", stat_line(pid, comm, rss_pages));
    tree.file(folder + "/oom_score", std::to_string(rss_pages / 10) + "\n");
    tree.file(folder + "/cmdline", std::string("/bin/") + comm + '\0' + "--fast" + '\0');
  }
  void listed(const std::string& pids, int newest) {
    tree.file("/c/cgroup.procs", pids);
    tree.file("/proc/loadavg", "0.1 0.1 0.1 1/80 " + std::to_string(newest) + "\n");
  }
  test::FixtureTree tree;
};

TEST_F(ProcessTableTest, KnowsEachByNameCommandAndSize) {
  ProcessTable table(tree.root(), "/c");
  table.look();
  ASSERT_EQ(table.size(), 2U);
  const auto* worker = table.find(20);
  ASSERT_NE(worker, nullptr);
  EXPECT_EQ(worker->name.view(), "worker");
  EXPECT_EQ(worker->command.view(), "/bin/worker --fast");
  EXPECT_EQ(worker->rss_bytes, 5000U * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
  EXPECT_EQ(worker->oom_score, 500);
  EXPECT_EQ(table.largest_rss(), worker->rss_bytes);
}

TEST_F(ProcessTableTest, OpensNothingWhileNobodyIsBorn) {
  ProcessTable table(tree.root(), "/c");
  table.look();
  const auto opened = table.opened();
  for (int i = 0; i < 100; ++i) table.look();
  EXPECT_EQ(table.opened(), opened);
  process(21, "sleep", 10);
  listed("10\n20\n21\n", 21);
  table.look();
  EXPECT_GT(table.opened(), opened) << "the counter counts";
  EXPECT_EQ(table.size(), 3U);
}

TEST_F(ProcessTableTest, WhoIsGoneIsTold) {
  ProcessTable table(tree.root(), "/c");
  table.look();
  tree.file("/proc/20/stat", "");  // ESRCH, as far as a file can say it
  listed("10\n", 20);
  table.look();
  ASSERT_EQ(table.departed().size(), 1U);
  EXPECT_EQ(table.departed()[0].facts.pid, 20);
  EXPECT_FALSE(table.departed()[0].sigkilled);
  EXPECT_NE(table.find(20), nullptr);
  table.forget_departed();
  EXPECT_EQ(table.find(20), nullptr);
  EXPECT_EQ(table.size(), 1U);
}

TEST_F(ProcessTableTest, ASigkillIsSeenWhilePendingAndOnAZombie) {
  ProcessTable table(tree.root(), "/c");
  table.look();
  tree.file("/proc/20/stat", stat_line(20, "worker", 0, 'R', 1 << (SIGKILL - 1)));
  tree.file("/proc/10/stat", stat_line(10, "master", 0, 'Z', 0, SIGKILL));
  listed("", 20);
  table.look();
  ASSERT_EQ(table.departed().size(), 2U);
  for (const auto& departed : table.departed()) {
    EXPECT_TRUE(departed.sigkilled);
    EXPECT_GT(departed.facts.rss_bytes, 0U) << "as it was when it lived";
  }
}

TEST_F(ProcessTableTest, ANewNameBringsANewCommand) {
  ProcessTable table(tree.root(), "/c");
  table.look();
  process(20, "execed", 5000);
  table.look();
  EXPECT_EQ(table.find(20)->command.view(), "/bin/execed --fast");
}

TEST_F(ProcessTableTest, ACommandMayFollowItsNameLooksLater) {
  ProcessTable table(tree.root(), "/c");
  table.look();
  process(20, "execed", 5000);
  tree.file("/proc/20/cmdline", "");
  for (int look = 0; look < 5; ++look) table.look();
  EXPECT_EQ(table.find(20)->command.view(), "") << "not the one of the program before";
  process(20, "execed", 5000);
  table.look();
  EXPECT_EQ(table.find(20)->command.view(), "/bin/execed --fast");
}

TEST_F(ProcessTableTest, WhoHasNoCommandIsNotAskedForEver) {
  tree.file("/proc/20/cmdline", "");
  ProcessTable table(tree.root(), "/c");
  for (int look = 0; look < 100; ++look) table.look();
  const auto opened = table.opened();
  table.look();
  EXPECT_EQ(table.opened(), opened);
}

TEST_F(ProcessTableTest, OneThatDiesUnderANewNameHasNoKnownCommand) {
  ProcessTable table(tree.root(), "/c");
  table.look();
  tree.file("/proc/20/stat", stat_line(20, "execed", 0, 'Z', 0, SIGKILL));
  table.look();
  ASSERT_EQ(table.departed().size(), 1U);
  EXPECT_EQ(table.departed()[0].facts.name.view(), "execed");
  EXPECT_EQ(table.departed()[0].facts.command.view(), "");
  table.mark_sigkilled(10, ProcessName("other"));
  EXPECT_EQ(table.departed()[1].facts.name.view(), "other");
}

TEST_F(ProcessTableTest, AReaperMayKnowMore) {
  ProcessTable table(tree.root(), "/c");
  table.look();
  table.mark_sigkilled(20, ProcessName("worker"));
  table.mark_sigkilled(77, ProcessName("unseen"));
  ASSERT_EQ(table.departed().size(), 2U);
  EXPECT_TRUE(table.departed()[0].sigkilled);
  EXPECT_EQ(table.departed()[1].facts.name.view(), "unseen");
  ProcessTable none;
  none.look();
  none.mark_sigkilled(5, ProcessName("x"));
  EXPECT_EQ(none.departed().size(), 1U);
}

TEST_F(ProcessTableTest, MoreThanItHoldsAreLeftOut) {
  std::string pids;
  for (int pid = 100; pid < 300; ++pid) {
    process(pid, "p", 1);
    pids += std::to_string(pid) + "\n";
  }
  listed(pids, 300);
  ProcessTable table(tree.root(), "/c");
  table.look();
  EXPECT_EQ(table.size(), ProcessTable::kMost);
}

TEST_F(ProcessTableTest, IsCompleteWhileNobodyIsBornAndGoneUnseen) {
  ProcessTable table(tree.root(), "/c");
  table.look();
  EXPECT_TRUE(table.complete());
  process(21, "replacement", 10);
  tree.file("/proc/20/stat", "");
  listed("10\n21\n", 21);
  table.look();
  EXPECT_TRUE(table.complete()) << "the one that was born is there";
  listed("10\n21\n", 22);
  table.look();
  EXPECT_FALSE(table.complete()) << "22 came and went";
  table.forget_departed();
  table.look();
  EXPECT_TRUE(table.complete()) << "that was before";
  process(24, "too new", 10);
  listed("10\n21\n24\n", 23);
  table.look();
  EXPECT_FALSE(table.complete()) << "24 was born after the count, so it is not 23";
  table.forget_departed();
  listed("10\n21\n24\n", 5);
  table.look();
  EXPECT_FALSE(table.complete()) << "pids began again";
  table.forget_departed();
  tree.file("/proc/10/stat", stat_line(10, "master", 0, 'Z'));
  listed("0\n21\n24\n", 6);
  table.look();
  table.forget_departed();
  EXPECT_FALSE(table.complete()) << "one of another pid namespace";
}

TEST_F(ProcessTableTest, IsNotCompleteWhileOneIsDying) {
  ProcessTable table(tree.root(), "/c");
  table.look();
  tree.file("/proc/20/stat",
            "20 (worker) R 1 1 1 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 1 1048576 5000 0 0 0 0 0 0 0\n");
  table.look();
  EXPECT_FALSE(table.complete());
}

Departed gone(pid_t pid, std::uint64_t mib, bool sigkilled = false) {
  Departed out;
  out.facts.pid = pid;
  out.facts.rss_bytes = mib * kMiB;
  out.sigkilled = sigkilled;
  return out;
}

struct VictimRow {
  const char* what;
  std::vector<Departed> departed;
  KillCircumstances kill;
  std::vector<std::pair<pid_t, bool>> named;
};

TEST(Victims, AreNamedWhereTheirSizeExplainsTheKill) {
  const VictimRow rows[] = {
      {"nobody was seen", {}, {1, 0, 60 * kMiB, 2 * kMiB}, {}},
      {"a large one vanished", {gone(5, 40)}, {1, 0, 20 * kMiB, 8 * kMiB}, {{5, false}}},
      {"the largest, not the sleep", {gone(4, 1), gone(5, 40)}, {1, 0, 0, 8 * kMiB}, {{5, false}}},
      {"only a sleep, and something unseen took 60 MiB",
       {gone(4, 1)},
       {1, 0, 60 * kMiB, 2 * kMiB},
       {}},
      {"only a sleep beside a large one that lives", {gone(4, 1)}, {1, 0, 0, 40 * kMiB}, {}},
      {"a small one on which a SIGKILL was seen",
       {gone(4, 1, true)},
       {1, 0, 60 * kMiB, 40 * kMiB},
       {{4, true}}},
      {"a small one, and nobody else can have been it",
       {gone(4, 1)},
       {1, 0, 60 * kMiB, 40 * kMiB, true},
       {{4, false}}},
      {"one of two small ones: nobody knows which",
       {gone(4, 1), gone(5, 1)},
       {1, 0, 60 * kMiB, 40 * kMiB, true},
       {}},
      {"not more than were killed", {gone(5, 40), gone(6, 30)}, {1, 0, 0, 0}, {{5, false}}},
      {"the known one first",
       {gone(5, 40, true), gone(6, 30, true)},
       {2, 6, 0, 0},
       {{6, true}, {5, true}}},
      {"a group kill counts more than its processes",
       {gone(5, 40, true), gone(6, 30, true)},
       {3, 0, 0, 0},
       {{5, true}, {6, true}}},
  };
  for (const auto& row : rows) {
    const Victims victims = name_victims(row.departed, row.kill);
    ASSERT_EQ(victims.size, row.named.size()) << row.what;
    for (std::size_t i = 0; i < victims.size; ++i) {
      EXPECT_EQ(victims.named[i].facts.pid, row.named[i].first) << row.what;
      EXPECT_EQ(victims.named[i].certain, row.named[i].second) << row.what;
    }
  }
}

}  // namespace
}  // namespace oomdrill::probe
