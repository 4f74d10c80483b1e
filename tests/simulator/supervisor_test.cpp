// Leaks in real child processes, in a container of files.
#include "supervisor.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "exit_codes.h"
#include "machine.h"
#include "signals.h"

namespace oomdrill::simulator {
namespace {

using nlohmann::json;
using test::FakeMachine;

constexpr const char* kEvents = "/sys/fs/cgroup/memory.events";

class Supervised : public testing::Test {
 protected:
  Supervised() { machine.tree.file(kEvents, "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n"); }

  /// In place: workers die at the same time, and nobody may see the file half written.
  void count(int kills) {
    const auto file = open_file(machine.tree.root() / kEvents, O_WRONLY);
    const std::string text = fmt::format("low 0\nhigh 0\nmax 0\noom 0\noom_kill {}\n", kills);
    ASSERT_EQ(::pwrite(file->get(), text.data(), text.size(), 0),
              static_cast<std::ptrdiff_t>(text.size()));
  }
  /// As the kernel does: it counts first, and then it kills.
  void kill_at(std::uint64_t bytes, bool counted) {
    machine.on_write = [this, bytes, counted](std::uint64_t written) {
      if (written < bytes) return;
      if (counted) count(kills() + 1);
      ::raise(SIGKILL);
    };
  }
  int kills() const {
    const auto text = read_file(machine.tree.root() / kEvents);
    return std::stoi(text->substr(text->rfind(' ')));
  }
  int run(const std::vector<std::string>& arguments) {
    SignalClock clock(machine.stop);
    machine.other_clock = &clock;
    EXPECT_EQ(catch_signals(), 0);  // SIGCHLD ends a sleep
    return machine.run(arguments);
  }
  std::vector<json> events(std::string_view name) const {
    std::vector<json> out;
    std::istringstream lines(machine.out.text());
    for (std::string line; std::getline(lines, line);) {
      const json event = json::parse(line, nullptr, false);
      EXPECT_FALSE(event.is_discarded()) << line;
      if (event["event"] == name) out.push_back(event);
    }
    return out;
  }
  /// None is left, not even a zombie.
  static void expect_no_child() {
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
  }

  FakeMachine machine;
};

TEST_F(Supervised, WorkersShareTheTotal) {
  EXPECT_EQ(run({"--workers", "3", "--max-bytes", "1000000", "--rate", "max"}), kDone);
  const auto stopped = events("leak.stopped");
  ASSERT_EQ(stopped.size(), 3u);
  std::uint64_t total = 0;
  std::set<int> numbers;
  for (const json& event : stopped) {
    total += event["live_bytes"].get<std::uint64_t>();
    numbers.insert(event["worker"].get<int>());
    EXPECT_EQ(event["restart"], 0);
  }
  EXPECT_EQ(total, 1'000'000u);
  EXPECT_EQ(numbers, (std::set{1, 2, 3}));
  expect_no_child();
}

TEST_F(Supervised, OrEachHasItsOwn) {
  EXPECT_EQ(run({"--workers", "2", "--share", "each", "--max-bytes", "1MB", "--rate", "5MB/s"}),
            kDone);
  const auto stopped = events("leak.stopped");
  ASSERT_EQ(stopped.size(), 2u);
  for (const json& event : stopped) EXPECT_EQ(event["live_bytes"], 1'000'000);
  for (const json& event : events("leak.started")) EXPECT_EQ(event["rate_bytes_per_s"], 5e6);
}

TEST_F(Supervised, AnOomKillIsToldByTheParent) {
  kill_at(1'000'000, true);
  EXPECT_EQ(run({"--workers", "2", "--rate", "max"}), 137);
  const auto killed = events("leak.worker_killed");
  ASSERT_EQ(killed.size(), 2u);
  for (const json& event : killed) {
    EXPECT_EQ(event["signal"], "SIGKILL");
    EXPECT_GT(event["pid"], 0);
  }
  EXPECT_EQ(killed[0]["oom"], true);
  expect_no_child();
}

TEST_F(Supervised, RestartsAreCounted) {
  kill_at(1'000'000, true);
  EXPECT_EQ(run({"--restart", "2", "--rate", "max", "--expect", "oom"}), kDone);
  const auto started = events("leak.started");
  ASSERT_EQ(started.size(), 3u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(started[static_cast<std::size_t>(i)]["restart"], i);
  EXPECT_EQ(events("leak.worker_killed").size(), 3u);
  const auto verdict = events("leak.verdict");
  ASSERT_EQ(verdict.size(), 1u);
  EXPECT_EQ(verdict[0]["judgement"], "met");
  EXPECT_EQ(verdict[0]["workers_oom_killed"], 3);
  EXPECT_EQ(verdict[0]["restarts"], 2);
}

TEST_F(Supervised, AKillFromOutsideIsNoOomKill) {
  kill_at(1'000'000, false);
  EXPECT_EQ(run({"--restart", "5", "--rate", "max", "--expect", "oom"}), kUnmet);
  const auto killed = events("leak.worker_killed");
  ASSERT_EQ(killed.size(), 1u);
  EXPECT_EQ(killed[0]["oom"], false);
  EXPECT_EQ(machine.err.text(), "leaksim: --expect oom: it ended as killed\n");
}

TEST_F(Supervised, WithoutACounterNothingIsClaimed) {
  machine.tree.remove(kEvents);
  machine.on_write = [](std::uint64_t) { ::raise(SIGKILL); };
  EXPECT_EQ(run({"--rate", "max", "--expect", "oom"}), kUnjudged);
  const auto killed = events("leak.worker_killed");
  ASSERT_EQ(killed.size(), 1u);
  EXPECT_FALSE(killed[0].contains("oom"));
  EXPECT_EQ(events("leak.verdict").at(0)["judgement"], "unjudged");
}

TEST_F(Supervised, SurvivalAndPlateau) {
  EXPECT_EQ(run({"--expect", "survive", "--duration", "100ms"}), kDone);
  EXPECT_EQ(run({"--expect", "oom", "--duration", "100ms"}), kUnmet);
  EXPECT_EQ(run({"--expect", "plateau", "--duration", "100ms"}), kUnjudged);
  EXPECT_EQ(run({"--expect", "plateau", "--duration", "600ms", "--rate", "40MB/s"}), kUnmet);
  EXPECT_NE(machine.err.text().find("which the last third raised by"), std::string::npos)
      << machine.err.text();
  machine.set_used(FakeMachine::kBase);
  EXPECT_EQ(run({"--expect", "plateau", "--duration", "900ms", "--rate", "40MB/s", "--until",
                 "4MiB", "--hold"}),
            kDone)
      << machine.err.text();
}

TEST_F(Supervised, AFailureIsTheWorkersOwn) {
  machine.refuse_after = 3;
  EXPECT_EQ(run({"--workers", "2"}), kNoMemory);
  EXPECT_EQ(run({"--expect", "survive"}), kUnmet);
  EXPECT_NE(machine.err.text().find("--expect survive: it ended as failed"), std::string::npos);
}

TEST_F(Supervised, ASignalEndsAll) {
  const pid_t parent = ::fork();
  if (parent == 0) {
    const volatile std::sig_atomic_t& stop = catch_signals();
    SignalClock clock(stop);
    machine.other_clock = &clock;
    ::_exit(machine.run({"--workers", "3", "--rate", "1kB/s"}, stop));
  }
  for (int i = 0; i < 6000 && events("leak.started").size() < 3; ++i) ::usleep(10'000);
  ASSERT_EQ(::kill(parent, SIGTERM), 0);
  int status = 0;
  ASSERT_EQ(::waitpid(parent, &status, 0), parent);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), kDone);
  const auto stopped = events("leak.stopped");
  ASSERT_EQ(stopped.size(), 3u);
  for (const json& event : stopped) EXPECT_EQ(event["signal"], "SIGTERM");
}

TEST_F(Supervised, WorkersDieWithTheParent) {
  const pid_t parent = ::fork();
  if (parent == 0) {
    const volatile std::sig_atomic_t& stop = catch_signals();
    SignalClock clock(stop);
    machine.other_clock = &clock;
    ::_exit(machine.run({"--workers", "2", "--rate", "1kB/s"}, stop));
  }
  for (int i = 0; i < 6000 && events("leak.started").size() < 2; ++i) ::usleep(10'000);
  std::vector<pid_t> workers;
  for (const json& event : events("leak.started")) workers.push_back(event["pid"].get<pid_t>());
  ASSERT_EQ(::kill(parent, SIGKILL), 0);
  ASSERT_EQ(::waitpid(parent, nullptr, 0), parent);
  for (const pid_t worker : workers) {
    // An orphan's zombie is the init's to reap; only a running one counts.
    const auto running = [worker] {
      const auto stat = read_file("/proc/" + std::to_string(worker) + "/stat");
      return stat && stat->find(") Z ") == std::string::npos;
    };
    for (int i = 0; i < 1000 && running(); ++i) ::usleep(10'000);
    EXPECT_FALSE(running());
  }
}

}  // namespace
}  // namespace oomdrill::simulator
