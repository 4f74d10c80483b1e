// The program as its user sees it: arguments in, lines and an exit code out.
#include "run.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "ecs/metadata.h"
#include "exit_codes.h"
#include "machine.h"

namespace oomdrill::simulator {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::FakeMachine;

std::vector<json> events(const std::string& text) {
  std::vector<json> out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    out.push_back(json::parse(line, nullptr, false));
    EXPECT_FALSE(out.back().is_discarded()) << line;
  }
  return out;
}

std::vector<json> named(const std::vector<json>& all, std::string_view name) {
  std::vector<json> out;
  for (const json& event : all) {
    if (event["event"] == name) out.push_back(event);
  }
  return out;
}

// ---- refusals

struct Case {
  const char* name;
  std::vector<std::string> arguments;
  int code;
  const char* err;
};

class Refuses : public testing::TestWithParam<Case> {};

TEST_P(Refuses, InOneLine) {
  FakeMachine machine;
  EXPECT_EQ(machine.run(GetParam().arguments), GetParam().code);
  const std::string err = machine.err.text();
  EXPECT_NE(err.find(GetParam().err), std::string::npos) << err;
  EXPECT_TRUE(err.starts_with("leaksim: ")) << err;
  EXPECT_EQ(std::count(err.begin(), err.end(), '\n'), 1) << err;
  EXPECT_EQ(machine.out.text(), "");
  EXPECT_EQ(machine.written, 0u);
}

INSTANTIATE_TEST_SUITE_P(
    CommandLine, Refuses,
    testing::Values(
        Case{"unknown_option", {"--bogus"}, 64, "bogus"},
        Case{"argument", {"surplus"}, 64, "surplus"},
        Case{"command", {"--", "sleep", "1"}, 64, "runs no command"},
        Case{"unknown_pattern",
             {"--pattern", "saw"},
             64,
             "--pattern: unknown pattern 'saw'; choose linear"},
        Case{"unknown_parameter",
             {"-p", "linear:size=1"},
             64,
             "--pattern: linear: unknown parameter 'size'"},
        Case{"bad_parameter", {"-p", "burst:size=x"}, 64, "--pattern: burst: size: 'x' is no size"},
        Case{"rate_zero", {"--rate", "0"}, 64, "--rate: '0' would never grow"},
        Case{"rate_negative", {"--rate=-1MB/s"}, 64, "--rate: '-1MB/s' would never grow"},
        Case{"rate_word", {"--rate", "fast"}, 64, "'fast' is no rate"},
        Case{
            "rate_of_burst", {"-p", "burst", "--rate", "1MB/s"}, 64, "pattern 'burst' has no rate"},
        Case{"rate_twice",
             {"-p", "linear:rate=1MB/s", "--rate", "2MB/s"},
             64,
             "--rate: the rate is in --pattern already; give one of the two"},
        Case{"rate_in_no_phase",
             {"--phase", "linear:rate=1MB/s,for=1s", "--phase", "hold", "-r", "2MB/s"},
             64,
             "--rate: the rate is in --phase already"},
        Case{"pattern_and_phase",
             {"-p", "linear", "--phase", "burst"},
             64,
             "--phase: --pattern is another shape of the same growth; make it a --phase too"},
        Case{"phase_without_end",
             {"--phase", "linear", "--phase", "burst"},
             64,
             "--phase: phase 1: linear: has no end"},
        Case{"phase_unknown",
             {"--phase", "linear:for=1s", "--phase", "saw"},
             64,
             "--phase: phase 2: unknown pattern 'saw'"},
        Case{"replay_of_nothing", {"-p", "replay"}, 64, "--pattern: replay: file: has to be given"},
        Case{"kind_of_a_phase",
             {"--phase", "linear:for=1s", "--phase", "comb", "--kind", "anon"},
             64,
             "pattern 'comb' frees single blocks"},
        Case{"plan_option", {"plan", "--bogus"}, 64, "leaksim plan --help"},
        Case{"plan_pattern", {"plan", "-p", "saw"}, 64, "--pattern: unknown pattern 'saw'"},
        Case{"plan_value",
             {"plan", "-p", "burst:size=0"},
             64,
             "--pattern: burst: size: '0' would never grow"},
        Case{"plan_unpaced", {"plan", "--rate", "max"}, 64, "rate max has no timetable"},
        Case{"plan_memory", {"plan", "-m", "0"}, 64, "--memory: '0' is no limit"},
        Case{"plan_until", {"plan", "--until", "90%"}, 64, "--until: it refers to a memory limit"},
        Case{"plan_format", {"plan", "-f", "emf"}, 64, "'emf' is no format of a curve"},
        Case{"plan_argument", {"plan", "surplus"}, 64, "surplus"},
        Case{"plan_command", {"plan", "--", "true"}, 64, "runs no command"},
        Case{"completion_of_nothing", {"completion"}, 64, "no shell; give bash, zsh or fish"},
        Case{"completion_unknown", {"completion", "csh"}, 64, "'csh'; give bash, zsh or fish"},
        Case{"man_argument", {"man", "surplus"}, 64, "surplus"},
        Case{"until_200", {"--until", "200%"}, 64, "--until: '200%' is out of range"},
        Case{"until_0", {"--until", "0%"}, 64, "out of range"},
        Case{"until_passed", {"--until", "1%"}, 64, "--until 1%: the cgroup uses 1.0 MiB already"},
        Case{"until_above", {"--until", "65MiB"}, 64, "lies above the memory limit of 64.0 MiB"},
        Case{"until_headroom", {"--until", "65MiB-headroom"}, 64, "leaves nothing"},
        Case{"hold_alone", {"--hold"}, 64, "--hold: there is nothing to hold at"},
        Case{"allocator_of_anon",
             {"--allocator", "jemalloc", "--kind", "anon"},
             64,
             "--allocator: serves malloc, which memory of kind 'anon' is not from"},
        Case{"allocator_unknown",
             {"--allocator", "nedmalloc"},
             69,
             "--allocator nedmalloc: unknown allocator 'nedmalloc'; choose one of system"},
        Case{"then_word", {"--then", "wait"}, 64, "--then: 'wait' is nothing to do; choose one of"},
        Case{"then_hold_alone", {"--then", "hold"}, 64, "--then: there is nothing to hold at"},
        Case{"then_release_alone", {"--then", "release"}, 64, "nothing to release at"},
        Case{"hold_contradicts",
             {"--hold", "--then", "exit", "--until", "9MiB"},
             64,
             "--hold: contradicts --then exit"},
        Case{"oom_below_a_cap",
             {"--then", "oom", "--max-bytes", "9MiB"},
             64,
             "--max-bytes: keeps the leak from the kill"},
        Case{"basis", {"--basis", "rss"}, 64, "--basis: 'rss' is no reading of a cgroup"},
        Case{"basis_absent",
             {"--basis", "working-set", "--until", "0.5MiB"},
             64,
             "the cgroup uses 1.0 MiB already"},
        Case{"workers", {"--workers", "0"}, 64, "--workers: '0' is no whole number from 1 to 1000"},
        Case{"share", {"--share", "half"}, 64, "--share: 'half' is no way to share; choose total"},
        Case{"restart", {"--restart", "-1"}, 64, "--restart: '-1' is no whole number"},
        Case{"expect", {"--expect", "luck"}, 64, "--expect: 'luck' is no end to expect"},
        Case{"max_bytes", {"--max-bytes", "0"}, 64, "--max-bytes: 0 leaves nothing to grow"},
        Case{"duration_word", {"--duration", "soon"}, 64, "a bare number is seconds"},
        Case{"duration", {"--duration", "0"}, 64, "--duration: '0' is too short"},
        Case{"report_every", {"--report-every", "1us"}, 64, "--report-every: '1us' is too short"},
        Case{"seed", {"--seed", "-1"}, 64, "--seed: '-1' is no whole number"},
        Case{"kind",
             {"--kind", "swap"},
             64,
             "--kind: unknown kind of memory 'swap'; choose one of anon, heap"},
        Case{"kind_of_fragment", {"-p", "fragment", "--kind", "anon"}, 64, "frees single blocks"},
        Case{"content", {"--content", "noise"}, 64, "--content: unknown content 'noise'"},
        Case{"content_share", {"--content", "compressible=1"}, 64, "'1' is no share of a page"},
        Case{"touch", {"--touch", "20%"}, 64, "--touch: '20%' is no rate; write it as 20%/s"},
        Case{"touch_200", {"--touch", "200%/s"}, 64, "--touch: '200%' is out of range"},
        Case{"format", {"--format", "xml"}, 64, "--format"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(Refusal, NamesTheVariable) {
  FakeMachine machine;
  machine.environment["LEAKSIM_RATE"] = "0";
  EXPECT_EQ(machine.run({}), kUsage);
  EXPECT_NE(machine.err.text().find("LEAKSIM_RATE: '0' would never grow"), std::string::npos);
}

TEST(Refusal, NoLimit) {
  FakeMachine machine;
  machine.set_limit("max");
  EXPECT_EQ(machine.run({"--duration", "1s"}), kUnavailable);
  EXPECT_NE(machine.err.text().find("--allow-unlimited"), std::string::npos);
  EXPECT_EQ(machine.written, 0u);
  EXPECT_EQ(machine.run({"--duration", "1s", "--allow-unlimited"}), kDone);
  EXPECT_EQ(machine.written, 1'000'000u);
}

TEST(Refusal, ALimitAboveTheMemoryOfTheHost) {
  FakeMachine machine;
  machine.set_limit(std::to_string(std::uint64_t{1} << 40));
  EXPECT_EQ(machine.run({"--duration", "1s"}), kUnavailable);
  EXPECT_NE(machine.err.text().find("the memory limit of 1.0 TiB is above the host's memory"),
            std::string::npos)
      << machine.err.text();
}

TEST(Refusal, NoLimitForAPercentage) {
  FakeMachine machine;
  machine.set_limit("max");
  EXPECT_EQ(machine.run({"--until", "90%", "--allow-unlimited"}), kUnavailable);
  EXPECT_NE(machine.err.text().find("--until: it refers to a memory limit"), std::string::npos);
}

TEST(Refusal, ALimitNearTheMemoryOfTheHost) {
  FakeMachine machine;
  machine.set_limit(std::to_string(std::uint64_t{8} << 30));
  EXPECT_EQ(machine.run({"--duration", "1s"}), kUnavailable);
  machine.set_limit(std::to_string(std::uint64_t{7730941132}));  // 90 % of 8 GiB
  EXPECT_EQ(machine.run({"--duration", "1s"}), kDone);
  machine.set_limit(std::to_string(std::uint64_t{7730941133}));
  EXPECT_EQ(machine.run({"--duration", "1s"}), kUnavailable);
  EXPECT_NE(machine.err.text().find("is 90 % of the host's memory"), std::string::npos)
      << machine.err.text();
}

TEST(Refusal, ALimitSmallerThanTheProgram) {
  FakeMachine machine;
  machine.set_limit(std::to_string(FakeMachine::kBase + (1 << 20)));
  EXPECT_EQ(machine.run({}), kUnavailable);
  EXPECT_NE(machine.err.text().find("leaves no room for a leak: 1.0 MiB are in use"),
            std::string::npos)
      << machine.err.text();
}

TEST(Refusal, CacheThatTheKernelDropsIsRoom) {
  FakeMachine machine;
  machine.set_used(FakeMachine::kLimit);
  machine.tree.file("/sys/fs/cgroup/memory.stat", "inactive_file 50000000\n");
  EXPECT_EQ(machine.run({"--duration", "1s"}), kDone);
}

TEST(Refusal, NoMemoryCgroup) {
  FakeMachine machine;
  machine.tree.remove("/proc/self/mountinfo");
  EXPECT_EQ(machine.run({}), kUnavailable);
  EXPECT_NE(machine.err.text().find("/proc/self/mountinfo"), std::string::npos);
}

TEST(Refusal, UnreadableCgroup) {
  FakeMachine machine;
  machine.tree.file("/sys/fs/cgroup/memory.current", "garbage\n");
  EXPECT_EQ(machine.run({}), kUnavailable);
  EXPECT_NE(machine.err.text().find("memory.current"), std::string::npos) << machine.err.text();
}

// ---- what it prints about itself

TEST(Help, ShowsOptionsVariablesAndDefaults) {
  FakeMachine machine;
  machine.tree.remove("/proc/self/mountinfo");  // nothing of the machine is needed
  EXPECT_EQ(machine.run({"--help"}), kDone);
  const std::string text = machine.out.text();
  for (const char* part : {"--rate", "LEAKSIM_RATE", "default 1MB/s", "--until", "--hold",
                           "LEAKSIM_MAX_BYTES", "Examples:"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part;
  }
}

TEST(Lists, RunOverTheTables) {
  FakeMachine machine;
  EXPECT_EQ(machine.run({"--list-patterns"}), kDone);
  EXPECT_EQ(machine.run({"--list-kinds"}), kDone);
  EXPECT_EQ(machine.run({"--version"}), kDone);
  const std::string text = machine.out.text();
  for (const char* part : {"linear: ", "rate=RATE (default 1MB/s)",
                           "burst: ", "fragment: ", "anon: counts", "heap: counts", "leaksim 0."}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

// ---- whole leaks, in virtual time

TEST(Leak, WithoutAnOptionItGrowsByAMegabyteASecond) {
  FakeMachine machine;
  // The kill: at the limit there is no further write, and a virtual signal ends
  // the test.
  machine.on_write = [&](std::uint64_t written) {
    machine.set_used(FakeMachine::kBase + written);
    if (FakeMachine::kBase + written >= FakeMachine::kLimit) machine.stop = SIGTERM;
  };
  EXPECT_EQ(machine.run({}), kDone);
  const auto all = events(machine.out.text());
  const auto& started = all.front();
  EXPECT_EQ(started["event"], "leak.started");
  EXPECT_EQ(started["pattern"], "linear");
  EXPECT_EQ(started["kind"], "anon");
  EXPECT_EQ(started["rate_bytes_per_s"], 1'000'000);
  EXPECT_EQ(started["until"], "oom");
  EXPECT_EQ(started["content"], "unique");
  EXPECT_EQ(started["cgroup_version"], "v2");
  EXPECT_EQ(started["limit_bytes"], FakeMachine::kLimit);
  EXPECT_EQ(started["limit_source"], "own");
  EXPECT_EQ(started["used_bytes"], FakeMachine::kBase);
  EXPECT_FALSE(started.contains("max_bytes"));
  EXPECT_FALSE(started.contains("until_bytes"));
  const auto progress = named(all, "leak.progress");
  ASSERT_EQ(progress.size(), 66u);  // 66,060,288 bytes of room
  for (std::size_t i = 0; i < progress.size(); ++i) {
    const json& event = progress[i];
    const std::uint64_t live = 1'000'000 * (i + 1);
    EXPECT_EQ(event["live_bytes"], live);
    EXPECT_EQ(event["allocated_bytes"], live);
    EXPECT_EQ(event["elapsed_s"], i + 1);
    EXPECT_EQ(event["used_bytes"], FakeMachine::kBase + live);
    EXPECT_EQ(event["headroom_bytes"], FakeMachine::kLimit - FakeMachine::kBase - live);
    EXPECT_EQ(event["requested_bytes_per_s"], 1'000'000);
    EXPECT_EQ(event["achieved_bytes_per_s"], 1'000'000);
    EXPECT_EQ(event["debt_bytes"], 0);
    EXPECT_EQ(event["lost_bytes"], 0);
    EXPECT_EQ(event["rss_bytes"], 200 * ::sysconf(_SC_PAGESIZE));
    EXPECT_NEAR(event["eta_oom_s"].get<double>(), 66.060288 - static_cast<double>(i + 1), 1e-6);
  }
  EXPECT_EQ(all.back()["event"], "leak.stopped");
  EXPECT_EQ(machine.err.text(), "");
}

TEST(Leak, StopsAtItsTargetWithinASlice) {
  FakeMachine machine;
  EXPECT_EQ(machine.run({"--until", "50%", "-p", "burst:size=60MiB,interval=5s"}), kDone);
  const json stopped = events(machine.out.text()).back();
  EXPECT_EQ(stopped["event"], "leak.stopped");
  EXPECT_EQ(stopped["reason"], "until");
  EXPECT_FALSE(stopped.contains("signal"));
  EXPECT_EQ(stopped["used_bytes"], 32 << 20);
  EXPECT_EQ(stopped["live_bytes"], 31 << 20);
  EXPECT_EQ(stopped["elapsed_s"], 5);
}

TEST(Leak, TargetsMayBeSizesAndHeadrooms) {
  for (const char* target : {"34MiB", "30MiB-headroom"}) {
    FakeMachine machine;
    EXPECT_EQ(machine.run({"--until", target, "--rate", "1MiB/s"}), kDone);
    const auto all = events(machine.out.text());
    EXPECT_EQ(all.front()["until"], target);
    EXPECT_EQ(all.front()["until_bytes"], 34 << 20);
    EXPECT_EQ(all.back()["used_bytes"], 34 << 20);
  }
}

TEST(Leak, HoldsUntilASignal) {
  FakeMachine machine;
  machine.environment["LEAKSIM_HOLD"] = "1";
  struct Interrupting final : Clock {
    ManualClock time;
    volatile std::sig_atomic_t* stop = nullptr;
    [[nodiscard]] Nanoseconds now() const override { return time.now(); }
    [[nodiscard]] WallTime wall() const override { return time.wall(); }
    void sleep_until(Nanoseconds deadline) override {
      time.sleep_until(deadline);
      if (time.now() >= seconds(20)) *stop = SIGINT;
    }
  };
  Interrupting clock;
  clock.stop = &machine.stop;
  machine.other_clock = &clock;
  EXPECT_EQ(machine.run({"--until", "11MiB", "--rate", "1MiB/s"}), kDone);
  const auto all = events(machine.out.text());
  const auto holding = named(all, "leak.holding");
  ASSERT_GE(holding.size(), 10u);
  for (const json& event : holding) EXPECT_EQ(event["live_bytes"], 10 << 20);
  const json& stopped = all.back();
  EXPECT_EQ(stopped["reason"], "signal");
  EXPECT_EQ(stopped["signal"], "SIGINT");
  EXPECT_EQ(stopped["elapsed_s"], 20);
  EXPECT_EQ(stopped["live_bytes"], 10 << 20);
  EXPECT_NEAR(stopped["achieved_bytes_per_s"].get<double>(), 1 << 20, 1);
  EXPECT_NEAR(stopped["requested_bytes_per_s"].get<double>(), 1 << 20, 1);
}

/// Calls `at` when virtual time has come to each of its keys.
class Scripted final : public Clock {
 public:
  std::map<Nanoseconds, std::function<void()>> at;
  [[nodiscard]] Nanoseconds now() const override { return time_.now(); }
  [[nodiscard]] WallTime wall() const override { return time_.wall(); }
  void sleep_until(Nanoseconds deadline) override {
    time_.sleep_until(deadline);
    while (!at.empty() && at.begin()->first <= time_.now()) {
      at.begin()->second();
      at.erase(at.begin());
    }
  }

 private:
  ManualClock time_;
};

/// A container in which another process holds `other`, and leaksim what it lives on.
struct Shared {
  explicit Shared(FakeMachine& shared_machine) : machine(shared_machine) {
    machine.other_clock = &clock;
    machine.on_change = [this](std::uint64_t live) {
      mine = live;
      show();
    };
  }
  void move(std::uint64_t bytes) {
    other = bytes;
    show();
  }
  void show() { machine.set_used(FakeMachine::kBase + other + mine); }

  FakeMachine& machine;
  Scripted clock;
  std::uint64_t other = 0;
  std::uint64_t mine = 0;
};

TEST(Hold, KeepsTheContainerAtTheTargetWhileAnotherProcessMoves) {
  FakeMachine machine;
  Shared shared(machine);
  constexpr std::uint64_t kTarget = 32 << 20;
  std::vector<std::uint64_t> settled;
  for (const auto& [second, other] : std::map<int, std::uint64_t>{
           {10, 8 << 20}, {20, 20 << 20}, {30, 2 << 20}, {40, 0}, {50, 31 << 20}}) {
    const std::uint64_t bytes = other;
    shared.clock.at[seconds(second)] = [&shared, bytes] { shared.move(bytes); };
    // Two ticks later it is settled, and stays so.
    for (const int later : {110, 500, 5000}) {
      shared.clock.at[seconds(second) + milliseconds(later)] = [&] {
        settled.push_back(FakeMachine::kBase + shared.other + shared.mine);
      };
    }
  }
  EXPECT_EQ(machine.run({"--until", "50%", "--then", "hold", "--rate", "10MB/s", "-d", "60s"}), 0);
  ASSERT_EQ(settled.size(), 15u);
  for (const std::uint64_t used : settled) {
    EXPECT_NEAR(static_cast<double>(used), kTarget, kTarget / 400.0);
  }
  const auto all = events(machine.out.text());
  EXPECT_EQ(all.front()["then"], "hold");
  EXPECT_EQ(all.front()["basis"], "current");
  const auto holding = named(all, "leak.holding");
  EXPECT_EQ(holding.back()["target_bytes"], kTarget);
  EXPECT_NEAR(holding.back()["reading_bytes"].get<double>(), kTarget, kTarget / 400.0);
}

TEST(Hold, LeavesSmallMovesAlone) {
  FakeMachine machine;
  Shared shared(machine);
  std::vector<std::uint64_t> live;
  for (int i = 0; i < 40; ++i) {
    shared.clock.at[seconds(10) + milliseconds(100 * i)] = [&shared, &live, i] {
      shared.move(i % 2 == 0 ? 60'000 : 0);
      live.push_back(shared.mine);
    };
  }
  EXPECT_EQ(machine.run({"--until", "50%", "--then", "hold", "--rate", "10MB/s", "-d", "20s"}), 0);
  ASSERT_EQ(live.size(), 40u);
  for (const std::uint64_t each : live) EXPECT_EQ(each, live.front());
}

TEST(Hold, GivesUpNothingForAnAllocatorThatKeepsIt) {
  FakeMachine machine;
  Shared shared(machine);
  // What is released stays charged, as a fragmented heap does.
  machine.on_change = [&shared](std::uint64_t live) {
    if (live > shared.mine) shared.mine = live;
    shared.show();
  };
  shared.clock.at[seconds(10)] = [&shared] { shared.move(1 << 20); };
  EXPECT_EQ(machine.run({"--until", "50%", "--then", "hold", "--rate", "10MB/s", "-d", "20s"}), 0);
  // Some twenty tries of 1 MiB would leave 11 MiB; at 200 ticks nothing would be left.
  EXPECT_GT(events(machine.out.text()).back()["live_bytes"], 15 << 20);
}

TEST(Hold, FollowsTheReadingThatIsAskedFor) {
  for (const char* basis : {"working-set", "ecs", "anon"}) {
    FakeMachine machine;
    Shared shared(machine);
    machine.on_change = [&](std::uint64_t live) {
      shared.mine = live;
      shared.show();
      machine.tree.file("/sys/fs/cgroup/memory.stat",
                        fmt::format("anon {}\nfile 20971520\ninactive_file 20971520\n",
                                    live + FakeMachine::kBase));
    };
    shared.other = 20 << 20;  // page cache that is inactive
    shared.show();
    machine.tree.file("/sys/fs/cgroup/memory.stat",
                      "anon 1048576\nfile 20971520\ninactive_file 20971520\n");
    EXPECT_EQ(machine.run({"--until", "32MiB", "--basis", basis, "--then", "hold", "--rate",
                           "100MiB/s", "-d", "2s"}),
              0)
        << machine.err.text();
    const auto all = events(machine.out.text());
    EXPECT_EQ(all.front()["basis"], basis);
    EXPECT_NEAR(all.back()["live_bytes"].get<double>(), 31 << 20, 100'000) << basis;
    EXPECT_NEAR(all.back()["used_bytes"].get<double>(), 52 << 20, 100'000) << basis;
  }
}

TEST(Then, ReleaseGivesAllBackAndStays) {
  for (const char* pattern : {"linear:rate=10MB/s", "fragment:round=1MB,rate=10MB/s"}) {
    FakeMachine machine;
    Shared shared(machine);
    EXPECT_EQ(machine.run({"--until", "10MiB", "--then", "release", "-d", "10s", "-p", pattern}), 0)
        << machine.err.text();
    const auto all = events(machine.out.text());
    const auto released = named(all, "leak.released");
    ASSERT_GE(released.size(), 8u) << pattern;
    EXPECT_EQ(released.front()["live_bytes"], 0);
    EXPECT_EQ(released.front()["used_bytes"], FakeMachine::kBase);
    EXPECT_EQ(all.back()["reason"], "duration");
    EXPECT_EQ(all.back()["elapsed_s"], 10);
  }
}

TEST(Then, OomGrowsOnToTheKill) {
  FakeMachine machine;
  machine.on_write = [&](std::uint64_t written) {
    machine.set_used(FakeMachine::kBase + written);
    if (FakeMachine::kBase + written >= FakeMachine::kLimit) machine.stop = SIGTERM;
  };
  EXPECT_EQ(machine.run({"--until", "50%", "--then", "oom"}), 0);
  const auto all = events(machine.out.text());
  const auto reached = named(all, "leak.target_reached");
  ASSERT_EQ(reached.size(), 1u);
  EXPECT_EQ(reached[0]["reason"], "until");
  EXPECT_NEAR(reached[0]["used_bytes"].get<double>(), 32 << 20, 10'000);
  EXPECT_GE(all.back()["used_bytes"], FakeMachine::kLimit);
}

TEST(Leak, EndsWithItsDurationHeldOrNot) {
  FakeMachine machine;
  EXPECT_EQ(machine.run({"--duration", "2500ms"}), kDone);
  EXPECT_EQ(machine.run({"--duration", "20s", "--until", "6MiB", "--hold"}), kDone);
  const auto stopped = named(events(machine.out.text()), "leak.stopped");
  ASSERT_EQ(stopped.size(), 2u);
  EXPECT_EQ(stopped[0]["reason"], "duration");
  EXPECT_EQ(stopped[0]["live_bytes"], 2'500'000);
  EXPECT_EQ(stopped[0]["elapsed_s"], 2.5);
  EXPECT_EQ(stopped[1]["reason"], "duration");
  EXPECT_EQ(stopped[1]["elapsed_s"], 20);
}

TEST(Leak, ABlockThatIsDueAtTheVeryEndIsFinished) {
  FakeMachine machine;
  EXPECT_EQ(machine.run({"--duration", "10s", "-p", "burst:size=20MiB"}), kDone);
  EXPECT_EQ(events(machine.out.text()).back()["live_bytes"], 20 << 20);
}

TEST(Leak, NeverHoldsMoreThanMaxBytes) {
  for (const char* pattern : {"linear", "burst:size=3MB,interval=1s", "fragment:round=1MB"}) {
    FakeMachine machine;
    EXPECT_EQ(machine.run({"--max-bytes", "5MB", "-p", pattern}), kDone) << pattern;
    const json stopped = events(machine.out.text()).back();
    EXPECT_EQ(stopped["reason"], "max_bytes") << pattern;
    EXPECT_LE(stopped["live_bytes"], 5'000'000) << pattern;
    EXPECT_GT(stopped["live_bytes"], 4'990'000) << pattern;
  }
}

TEST(Leak, FragmentShowsLiveFallBelowAllocated) {
  FakeMachine machine;
  EXPECT_EQ(machine.run({"-p", "fragment:keep=64,step=0,round=1MB", "--duration", "10s"}), kDone);
  const auto all = events(machine.out.text());
  EXPECT_EQ(all.front()["kind"], "heap");
  EXPECT_EQ(all.back()["allocated_bytes"], 10'000'000);
  EXPECT_LT(all.back()["live_bytes"], 200'000);
}

TEST(Leak, ASlowMachineIsReportedNotHidden) {
  FakeMachine machine;
  // Half of what is asked for: 1 µs a byte where 0.5 is allowed.
  std::uint64_t before = 0;
  machine.on_write = [&](std::uint64_t written) {
    machine.clock.advance(Nanoseconds((written - before) * 1000));
    before = written;
  };
  EXPECT_EQ(machine.run({"--rate", "2MB/s", "--duration", "60s"}), kDone);
  const auto all = events(machine.out.text());
  const json& stopped = all.back();
  EXPECT_NEAR(stopped["achieved_bytes_per_s"].get<double>(), 1e6, 1e4);
  EXPECT_NEAR(stopped["requested_bytes_per_s"].get<double>(), 2e6, 1e4);
  const auto requested = stopped["elapsed_s"].get<double>() * 2e6;
  const auto achieved = stopped["allocated_bytes"].get<double>();
  const auto debt = stopped["debt_bytes"].get<double>();
  const auto lost = stopped["lost_bytes"].get<double>();
  EXPECT_NEAR(achieved + debt + lost, requested, 1e5);
  EXPECT_NEAR(debt, 2e6 * 10, 5e6);  // the pacer's patience, and one go of 4 MiB
  EXPECT_GT(lost, 2e7);
  // And along the way: behind first, then giving up.
  const auto progress = named(all, "leak.progress");
  ASSERT_GT(progress.size(), 40u);
  EXPECT_GT(progress[3]["debt_bytes"], 500'000);
  EXPECT_EQ(progress[3]["lost_bytes"], 0);
}

TEST(Leak, AFrozenProcessDoesNotPourOutWhatItMissed) {
  FakeMachine machine;
  bool frozen = false;
  machine.on_write = [&](std::uint64_t written) {
    if (written >= 1'000'000 && !frozen) {
      frozen = true;
      machine.clock.advance(seconds(3600));
    }
  };
  EXPECT_EQ(machine.run({"--duration", "3610s", "--allow-unlimited"}), kDone);
  const json stopped = events(machine.out.text()).back();
  EXPECT_LT(stopped["allocated_bytes"], 22'000'000);
  EXPECT_GT(stopped["lost_bytes"], 3'580'000'000);
}

TEST(Leak, ReportsAreSpacedAsAsked) {
  FakeMachine machine;
  EXPECT_EQ(machine.run({"--duration", "10s", "--report-every", "2500ms"}), kDone);
  EXPECT_EQ(named(events(machine.out.text()), "leak.progress").size(), 4u);
  FakeMachine quiet;
  EXPECT_EQ(quiet.run({"--duration", "10s", "--report-every", "0"}), kDone);
  EXPECT_EQ(events(quiet.out.text()).size(), 2u);
}

TEST(Leak, WithoutALimitThereIsNoPercentage) {
  FakeMachine machine;
  machine.set_limit("max");
  EXPECT_EQ(machine.run({"--duration", "2s", "--allow-unlimited"}), kDone);
  const auto all = events(machine.out.text());
  EXPECT_EQ(all.front()["limit_source"], "host");
  const auto progress = named(all, "leak.progress");
  for (const char* field : {"limit_bytes", "used_percent", "headroom_bytes", "eta_oom_s"}) {
    EXPECT_FALSE(progress.at(0).contains(field)) << field;
  }
  EXPECT_TRUE(progress.at(0).contains("used_bytes"));
}

TEST(Leak, FollowsALimitThatIsRaised) {
  FakeMachine machine;
  machine.on_write = [&](std::uint64_t written) {
    if (written == 1'500'000) machine.set_limit("134217728");
  };
  EXPECT_EQ(machine.run({"--duration", "3s"}), kDone);
  const auto progress = named(events(machine.out.text()), "leak.progress");
  EXPECT_EQ(progress.at(0)["limit_bytes"], 64 << 20);
  EXPECT_EQ(progress.at(1)["limit_bytes"], 128 << 20);
}

TEST(Leak, SaysWhenTheKernelRefuses) {
  FakeMachine machine;
  machine.refuse_after = 100;
  EXPECT_EQ(machine.run({}), kNoMemory);
  const json stopped = events(machine.out.text()).back();
  EXPECT_EQ(stopped["reason"], "allocation_failed");
  EXPECT_EQ(stopped["live_bytes"], 1'000'000);
  EXPECT_EQ(machine.err.text(), "leaksim: refused\n");
}

TEST(Leak, DoesNotGrowBlindlyTowardsATarget) {
  FakeMachine machine;
  machine.on_write = [&](std::uint64_t) {
    machine.tree.file("/sys/fs/cgroup/memory.current", "gone\n");
  };
  EXPECT_EQ(machine.run({"--until", "90%"}), kUnavailable);
  EXPECT_EQ(events(machine.out.text()).back()["reason"], "cgroup_lost");
  FakeMachine endless;
  endless.on_write = [&](std::uint64_t) {
    endless.tree.file("/sys/fs/cgroup/memory.current", "gone\n");
  };
  EXPECT_EQ(endless.run({"--duration", "2s"}), kDone);
  EXPECT_FALSE(named(events(endless.out.text()), "leak.progress").at(0).contains("used_bytes"));
}

TEST(Leak, AReaderThatIsGoneDoesNotStopIt) {
  const auto old = std::signal(SIGPIPE, SIG_IGN);
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ::close(ends[0]);
  FakeMachine machine;
  machine.out_fd = ends[1];
  EXPECT_EQ(machine.run({"--duration", "5s"}), kDone);
  EXPECT_EQ(machine.written, 5'000'000u);
  EXPECT_NE(machine.err.text().find("events could not be written"), std::string::npos)
      << machine.err.text();
  ::close(ends[1]);
  std::signal(SIGPIPE, old);
}

TEST(Leak, VariablesSetWhatFlagsDoNot) {
  FakeMachine machine;
  machine.environment = {
      {"LEAKSIM_RATE", "2MB/s"}, {"LEAKSIM_DURATION", "1s"}, {"LEAKSIM_PATTERN", "burst"}};
  EXPECT_EQ(machine.run({"--pattern", "linear"}), kDone);
  EXPECT_EQ(machine.written, 2'000'000u);
  // A rate from the environment is of no concern to a pattern without one.
  EXPECT_EQ(machine.run({}), kDone);
}

TEST(Leak, EmfWrapsTheSameEventsOnEcs) {
  FakeMachine machine;
  machine.environment[ecs::kEndpointVariable] = "http://127.0.0.1:1/v4/token";
  EXPECT_EQ(machine.run({"--duration", "1s", "--ecs-timeout", "200ms"}), kDone);
  EXPECT_EQ(events(machine.out.text()).front()["event"], "leak.started");
  EXPECT_NE(machine.err.text().find("127.0.0.1"), std::string::npos) << machine.err.text();
}

// ---- on a terminal

class Terminal {
 public:
  Terminal() : main_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    EXPECT_EQ(::grantpt(main_.get()), 0);
    EXPECT_EQ(::unlockpt(main_.get()), 0);
    side_ = Fd(::open(::ptsname(main_.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
    const winsize size{.ws_row = 24, .ws_col = 60, .ws_xpixel = 0, .ws_ypixel = 0};
    EXPECT_EQ(::ioctl(side_.get(), TIOCSWINSZ, &size), 0);
    ::fcntl(main_.get(), F_SETFL, O_NONBLOCK);
  }
  [[nodiscard]] int fd() const { return side_.get(); }
  void resize(unsigned short columns) const {
    const winsize size{.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    EXPECT_EQ(::ioctl(side_.get(), TIOCSWINSZ, &size), 0);
  }
  void drain() {
    std::array<char, 4096> buffer;
    for (;;) {
      const auto n = ::read(main_.get(), buffer.data(), buffer.size());
      if (n <= 0) return;
      text_.append(buffer.data(), static_cast<std::size_t>(n));
    }
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  Fd main_;
  Fd side_;
  std::string text_;
};

TEST(Leak, OnATerminalALineIsRewrittenInPlace) {
  Terminal terminal;
  FakeMachine machine;
  machine.out_fd = terminal.fd();
  machine.on_write = [&](std::uint64_t written) {
    machine.set_used(FakeMachine::kBase + written);
    terminal.drain();
  };
  EXPECT_EQ(machine.run({"--until", "10MiB", "--rate", "1MiB/s"}), kDone);
  terminal.drain();
  std::istringstream lines(terminal.text());
  std::vector<std::string> all;
  for (std::string line; std::getline(lines, line);) all.push_back(line);
  ASSERT_EQ(all.size(), 8u) << terminal.text();
  EXPECT_NE(all[0].find("leak.started"), std::string::npos);
  // The second line is the live line many times over, and the end in its place.
  EXPECT_GT(std::count(all[1].begin(), all[1].end(), '\r'), 40);
  EXPECT_NE(all[1].find("leak.stopped"), std::string::npos);
  std::istringstream states(all[1]);
  std::size_t widest = 0;
  for (std::string state; std::getline(states, state, '\r');) {
    if (state.find("leak.stopped") == std::string::npos) widest = std::max(widest, state.size());
  }
  EXPECT_LT(widest, 60u);
  EXPECT_GT(widest, 40u);
  EXPECT_TRUE(all[3].starts_with("ended      until after 9.0 s: linear:rate=1MiB/s, anon memory"))
      << all[3];
  EXPECT_TRUE(all[7].starts_with("target     10MiB is 10.0 MiB by current")) << all[7];
}

TEST(Leak, TheLineFollowsTheWidthOfTheTerminal) {
  Terminal terminal;
  FakeMachine machine;
  machine.out_fd = terminal.fd();
  std::size_t narrow_from = 0;
  machine.on_write = [&](std::uint64_t written) {
    machine.set_used(FakeMachine::kBase + written);
    terminal.drain();
    if (written > 4 << 20 && narrow_from == 0) {
      terminal.resize(30);
      narrow_from = terminal.text().size();
    }
  };
  EXPECT_EQ(machine.run({"--until", "10MiB", "--rate", "1MiB/s"}), kDone);
  terminal.drain();
  ASSERT_GT(narrow_from, 0u);
  const std::string after = terminal.text().substr(narrow_from);
  // The wide line, broken into two rows by now, is erased as a whole: one row up, and all below.
  EXPECT_TRUE(after.starts_with("\x1b[A\r\x1b[J\r")) << after.substr(0, 80);
  std::istringstream states(after.substr(0, after.find("leak.stopped")));
  std::string state;
  std::getline(states, state, '\r');
  std::getline(states, state, '\r');
  int count = 0;
  for (; std::getline(states, state, '\r'); ++count) {
    if (states.eof()) break;
    EXPECT_LT(state.size(), 30u) << state;
  }
  EXPECT_GT(count, 20);
}

// ---- what the kernel charged, and what others see of it

TEST(Proof, SaysWhetherTheKernelChargedWhatTheKindClaims) {
  for (const bool charges : {true, false}) {
    FakeMachine machine;
    machine.on_write = [&](std::uint64_t bytes) {
      machine.set_used(FakeMachine::kBase + bytes);
      if (!charges || bytes % 1'000'000 != 0) return;
      machine.tree.file("/sys/fs/cgroup/memory.stat",
                        "anon " + std::to_string(FakeMachine::kBase + bytes) +
                            "\nfile 4096\ninactive_file 4096\n");
    };
    EXPECT_EQ(machine.run({"--duration", "10s"}), kDone);
    const auto all = events(machine.out.text());
    const auto stopped = named(all, "leak.stopped");
    ASSERT_EQ(stopped.size(), 1u);
    EXPECT_EQ(stopped[0]["charged_as_claimed"], charges);
    EXPECT_EQ(stopped[0]["charged_bytes"], charges ? 10'000'000 : 0);
    EXPECT_EQ(stopped[0]["residue_bytes"], 10'000'000);  // the fake cgroup gives nothing back
    EXPECT_EQ(named(all, "leak.started")[0]["claimed_counter"], "anon");
  }
}

TEST(Proof, WaitsForWhatTheKernelGivesBackInPortions) {
  // How long the kernel takes to the first portion, between two of them, and what it keeps.
  struct Course {
    milliseconds first, apart;
    std::uint64_t residue;
  };
  for (const Course& course : {Course{milliseconds(10), milliseconds(10), 0},
                               Course{milliseconds(150), milliseconds(180), 0},
                               Course{milliseconds(150), milliseconds(40), 6'000'000},
                               Course{milliseconds(600), milliseconds(10), 10'000'000}}) {
    FakeMachine machine;
    Scripted clock;
    machine.other_clock = &clock;
    for (std::uint64_t left = 10'000'000; left > course.residue; left -= 1'000'000) {
      const auto portion = static_cast<int>((10'000'000 - left) / 1'000'000);
      clock.at[seconds(10) + course.first + portion * course.apart] = [&machine, left] {
        machine.set_used(FakeMachine::kBase + left - 1'000'000);
      };
    }
    EXPECT_EQ(machine.run({"--duration", "10s"}), kDone);
    EXPECT_EQ(events(machine.out.text()).back()["residue_bytes"], course.residue);
  }
}

TEST(Observers, StandInEveryProgressEvent) {
  FakeMachine machine;
  machine.tree.file("/sys/fs/cgroup/memory.stat",
                    "anon 1048576\nfile 524288\ninactive_file 262144\n");
  EXPECT_EQ(machine.run({"--duration", "2s"}), kDone);
  const auto progress = named(events(machine.out.text()), "leak.progress");
  ASSERT_FALSE(progress.empty());
  const json& shown = progress[0]["observers"];
  const std::uint64_t used = progress[0]["used_bytes"];
  EXPECT_EQ(shown["cgroup_bytes"], used);
  EXPECT_EQ(shown["rss_bytes"], progress[0]["rss_bytes"]);
  EXPECT_EQ(shown["docker_bytes"], used - 262144);
  EXPECT_EQ(shown["kubelet_bytes"], used - 262144);
  EXPECT_EQ(shown["ecs_v1_bytes"], used - 524288);
  EXPECT_EQ(shown["ecs_v2_bytes"], used - 262144);
  EXPECT_EQ(shown["ecs_v2_percent"], 1.56);  // 1 of 64 MiB
}

TEST(Touch, UsesThatShareOfTheLiveMemoryASecond) {
  FakeMachine machine;
  EXPECT_EQ(machine.run({"-p", "burst:size=10MB,interval=1s", "--max-bytes", "10MB", "--hold",
                         "--duration", "11s", "--touch", "20%/s"}),
            kDone);
  const auto all = events(machine.out.text());
  EXPECT_EQ(named(all, "leak.started")[0]["touch_percent_per_s"], 20);
  // 10 MB for 10 s.
  const double touched = named(all, "leak.stopped")[0]["touched_bytes"];
  EXPECT_NEAR(touched, 20e6, 0.3e6);
}

TEST(ExplainCommand, ListsAllKindsOrExplainsOne) {
  FakeMachine machine;
  EXPECT_EQ(machine.run({"explain"}), kDone);
  EXPECT_NE(machine.out.text().find("ECS on cgroup v1"), std::string::npos);
  EXPECT_NE(machine.out.text().find("heap"), std::string::npos);
  EXPECT_EQ(machine.run({"explain", "swap"}), kUsage);
  EXPECT_EQ(machine.err.text(),
            "leaksim: explain: unknown kind of memory 'swap'; choose one of anon, heap\n");
}

}  // namespace
}  // namespace oomdrill::simulator
