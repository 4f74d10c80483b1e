#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "cgroup/location.h"
#include "fixture_tree.h"
#include "probe_process.h"
#include "requires.h"
#include "tree.h"

namespace oomdrill::probe {
namespace {

using fake::has;
using fake::ProbeProcess;
using fake::run_script;

/// A memory cgroup of this test's own, below the one that the test runs in, with a limit that swap
/// does not soften.
class LimitedCgroup {
 public:
  explicit LimitedCgroup(std::uint64_t limit, const std::string& parent = {}) {
    const auto location = cgroup::locate(FileRoot());
    if (!location) {
      why_not_ = location.error().line();
      return;
    }
    v1_ = location->version == cgroup::Version::v1;
    static int count = 0;
    path_ = (parent.empty() ? location->mount : parent) + "/oomdrill-probe-test-" +
            std::to_string(::getpid()) + "-" + std::to_string(++count);
    if (::mkdir(path_.c_str(), 0755) != 0) {
      why_not_ = std::string("cannot make ") + path_ + ": " + std::strerror(errno);
      path_.clear();
      return;
    }
    if (limit > 0) set_limit(limit);
  }
  ~LimitedCgroup() {
    for (int i = 0; i < 500 && !path_.empty() && ::rmdir(path_.c_str()) != 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  LimitedCgroup(const LimitedCgroup&) = delete;
  LimitedCgroup& operator=(const LimitedCgroup&) = delete;

  void set_limit(std::uint64_t limit) {
    const std::string text = std::to_string(limit);
    const auto done = write_file(path_ + (v1_ ? "/memory.limit_in_bytes" : "/memory.max"), text);
    if (!done) why_not_ = done.error().line();
    (void)write_file(path_ + (v1_ ? "/memory.memsw.limit_in_bytes" : "/memory.swap.max"),
                     v1_ ? text : "0");
  }
  /// Empty where the cgroup can be used.
  [[nodiscard]] const std::string& why_not() const { return why_not_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool is_v1() const { return v1_; }
  [[nodiscard]] std::function<void()> enter() const {
    return [path = path_] { (void)write_file(path + "/cgroup.procs", "0"); };
  }

 private:
  std::string path_;
  std::string why_not_;
  bool v1_ = false;
};

constexpr std::uint64_t kLimit = 64 << 20;
constexpr const char* kRemedy = "run it as root where a memory cgroup can be made";
/// Holds what it reads, without end.
constexpr const char* kLeak = "exec tail /dev/zero";

#define REQUIRE_CGROUP(cgroup) \
  OOMDRILL_REQUIRE((cgroup).why_not().empty(), (cgroup).why_not(), kRemedy)

TEST(RealCgroup, AnOomKillOfTheCommandIsOneEventAndTheVerdict) {
  LimitedCgroup cgroup(kLimit);
  REQUIRE_CGROUP(cgroup);
  ProbeProcess probe(run_script(kLeak), cgroup.enter());
  EXPECT_EQ(probe.wait(), 137);
  const auto kill = probe.the("memory.oom_kill");
  EXPECT_TRUE(has(kill, R"("scope":"own_limit")")) << kill;
  EXPECT_TRUE(has(kill, R"("kills":1)")) << kill;
  EXPECT_TRUE(has(kill, R"("name":"tail")")) << kill;
  EXPECT_TRUE(has(kill, R"("survived":false)")) << kill;
  EXPECT_TRUE(has(kill, R"("limit_bytes":67108864,"limit_source":"own")")) << kill;
  const auto exited = probe.the("workload.exited");
  EXPECT_TRUE(has(exited, R"("exit_code":137,"signal":"SIGKILL")")) << exited;
  EXPECT_TRUE(has(exited, R"("verdict":"oom_killed","confidence":"certain")")) << exited;
}

TEST(RealCgroup, EveryOneOfManyKillsIsToldOnce) {
  LimitedCgroup cgroup(kLimit);
  REQUIRE_CGROUP(cgroup);
  for (int i = 0; i < 10; ++i) {
    ProbeProcess probe(run_script(kLeak), cgroup.enter());
    EXPECT_EQ(probe.wait(), 137);
    EXPECT_EQ(probe.count("memory.oom_kill"), 1U) << probe.out();
    EXPECT_TRUE(has(probe.the("workload.exited"), R"("verdict":"oom_killed")"));
  }
}

TEST(RealCgroup, AKillFromOutsideIsNoOom) {
  LimitedCgroup cgroup(kLimit);
  REQUIRE_CGROUP(cgroup);
  ProbeProcess probe(run_script("echo me=$$; exec sleep 600"), cgroup.enter());
  ASSERT_TRUE(probe.wait_for("me="));
  ASSERT_TRUE(probe.wait_for("workload.started"));
  const auto line = probe.the("workload.started");
  const auto at = line.find(R"("pid":)");
  ASSERT_NE(at, std::string::npos);
  ::kill(std::stoi(line.substr(at + 6)), SIGKILL);
  EXPECT_EQ(probe.wait(), 137);
  EXPECT_EQ(probe.count("memory.oom_kill"), 0U);
  EXPECT_TRUE(has(probe.the("workload.exited"), R"("verdict":"killed")"));
}

TEST(RealCgroup, AWorkersOomKillIsToldWhileItsParentLives) {
  LimitedCgroup cgroup(kLimit);
  REQUIRE_CGROUP(cgroup);
  // The parent waits to be told that the event was seen.
  ProbeProcess probe(run_script("tail /dev/zero; echo worker=$?; trap 'exit 0' USR1; "
                                "while :; do sleep 0.05; done"),
                     cgroup.enter());
  ASSERT_TRUE(probe.wait_for("worker=137")) << probe.out();
  ASSERT_TRUE(probe.wait_for("memory.oom_kill")) << probe.out();
  const auto kill = probe.the("memory.oom_kill");
  EXPECT_TRUE(has(kill, R"("survived":true)")) << kill;
  // The shell reaped it. The kernel may have needed less than one look to kill it.
  EXPECT_TRUE(has(kill, R"("name":"tail")") || has(kill, R"("victim":null)")) << kill;
  probe.signal(SIGUSR1);
  EXPECT_EQ(probe.wait(), 0);
  EXPECT_EQ(probe.count("memory.oom_kill"), 1U);
  EXPECT_TRUE(has(probe.the("workload.exited"), R"("verdict":"completed")"));
}

TEST(RealCgroup, AWorkerThatItsParentReapsIsNamed) {
  LimitedCgroup cgroup(kLimit);
  REQUIRE_CGROUP(cgroup);
  test::FixtureTree tree;
  tree.file("/worker",
            "import time\n"
            "held = bytearray(b'x') * (40 << 20)\n"
            "time.sleep(1)\n"
            "while True: held += bytearray(b'x') * (1 << 20)\n");
  ProbeProcess probe(run_script("python3 " + tree.path() +
                                "/worker; echo worker=$?; trap 'exit 0' USR1; "
                                "while :; do sleep 0.05; done"),
                     cgroup.enter());
  ASSERT_TRUE(probe.wait_for("worker=137")) << probe.out();
  ASSERT_TRUE(probe.wait_for("memory.oom_kill")) << probe.out();
  const auto kill = probe.the("memory.oom_kill");
  EXPECT_TRUE(has(kill, R"("name":"python3","command":")")) << kill;
  EXPECT_TRUE(has(kill, tree.path() + "/worker\"")) << kill;
  EXPECT_TRUE(has(kill, R"("rss_bytes":)")) << kill;
  EXPECT_TRUE(has(kill, R"("oom_score":)")) << kill;
  EXPECT_TRUE(has(kill, R"("survived":true)")) << kill;
  probe.signal(SIGUSR1);
  EXPECT_EQ(probe.wait(), 0);
}

/// `count` children after one another, each killed within milliseconds.
void die_in_a_row(int count) {
  for (int i = 0; i < count; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      (void)write_file("/proc/self/oom_score_adj", "0");
      constexpr std::size_t kSize = 4 * kLimit;
      void* const block = ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
      ::_exit(block == MAP_FAILED ? 1 : 0);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
  }
}

TEST(RealCgroup, OfTwoHundredKillsInARowNoneIsLost) {
  LimitedCgroup cgroup(16 << 20);
  REQUIRE_CGROUP(cgroup);
  test::FixtureTree tree;
  const std::string path = tree.path() + "/events";
  // The workers are of this test, not the probe's: a watch has no SIGCHLD to go by.
  ProbeProcess probe({"watch", "--format", "json", "--output", path, "--cgroup", cgroup.path()});
  while (!std::filesystem::exists(path) || !has(*read_file(path), "memory.sample")) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const pid_t parent = ::fork();
  if (parent == 0) {
    cgroup.enter()();
    // Never the victim: what a reaped child held may still be charged when the next one starts, and
    // then a parent at -500 was killed (once in some hundred runs on a busy machine).
    (void)write_file("/proc/self/oom_score_adj", "-1000");
    die_in_a_row(200);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(parent, &status, 0);
  probe.signal(SIGTERM);
  EXPECT_EQ(probe.wait(), 0);
  std::uint64_t kills = 0;
  const auto text = *read_file(path);
  for (const auto& line : fake::lines_of(text, "memory.oom_kill")) {
    kills += std::stoull(line.substr(line.find(R"("kills":)") + 8));
  }
  const auto counter = read_file(cgroup.path() + "/memory.oom_control");
  const auto counted =
      counter ? counter->substr(counter->find("oom_kill ") + 9) : std::string("200\n");
  EXPECT_EQ(std::to_string(kills) + "\n", counted) << text;
  EXPECT_GE(kills, 200U);
}

TEST(RealCgroup, AShellThatEndsAsItsKilledChildDidHasFailed) {
  LimitedCgroup cgroup(kLimit);
  REQUIRE_CGROUP(cgroup);
  ProbeProcess probe(run_script("tail /dev/zero; exit $?"), cgroup.enter());
  EXPECT_EQ(probe.wait(), 137);
  EXPECT_TRUE(has(probe.the("memory.oom_kill"), R"("kills":1)"));
  const auto exited = probe.the("workload.exited");
  EXPECT_TRUE(has(exited, R"("verdict":"failed")")) << exited;
  EXPECT_FALSE(has(exited, R"("signal")")) << exited;
}

TEST(RealCgroup, AnAncestorsLimitIsTold) {
  LimitedCgroup task(kLimit);
  REQUIRE_CGROUP(task);
  (void)write_file(task.path() + "/cgroup.subtree_control", "+memory");
  LimitedCgroup container(0, task.path());
  REQUIRE_CGROUP(container);
  ProbeProcess probe(run_script(kLeak), container.enter());
  EXPECT_EQ(probe.wait(), 137);
  EXPECT_TRUE(has(probe.the("probe.started"), R"("limit_bytes":67108864)"));
  const auto kill = probe.the("memory.oom_kill");
  EXPECT_TRUE(has(kill, R"("scope":"ancestor_limit")")) << kill;
  EXPECT_TRUE(has(probe.the("workload.exited"), R"("verdict":"oom_killed")"));
}

TEST(RealCgroup, ALimitThatIsRaisedIsTold) {
  LimitedCgroup cgroup(kLimit);
  REQUIRE_CGROUP(cgroup);
  ProbeProcess probe(
      run_script("trap 'exit 0' USR1; while :; do sleep 0.05; done", {"--interval", "50ms"}),
      cgroup.enter());
  ASSERT_TRUE(probe.wait_for(R"("event":"memory.sample")"));
  // memsw first: it must never be below the limit.
  const std::string memsw = cgroup.path() + "/memory.memsw.limit_in_bytes";
  if (std::filesystem::exists(memsw)) (void)write_file(memsw, std::to_string(2 * kLimit));
  cgroup.set_limit(2 * kLimit);
  EXPECT_TRUE(probe.wait_for("memory.limit_changed")) << probe.out();
  probe.signal(SIGUSR1);
  EXPECT_EQ(probe.wait(), 0);
  EXPECT_TRUE(
      has(probe.the("memory.limit_changed"), R"("limit_bytes":134217728,"limit_source":"own")"))
      << probe.out();
}

TEST(RealCgroup, WatchesAGivenOneUntilItIsRemoved) {
  std::string path;
  std::unique_ptr<ProbeProcess> probe;
  {
    LimitedCgroup cgroup(kLimit);
    REQUIRE_CGROUP(cgroup);
    path = cgroup.path();
    probe = std::make_unique<ProbeProcess>(std::vector<std::string>{
        "watch", "--format", "json", "--interval", "50ms", "--cgroup", path});
    ASSERT_TRUE(probe->wait_for(R"("event":"memory.sample")")) << probe->err();
    // A process that the probe has nothing to do with.
    ProbeProcess other({"run", "--output", "/dev/null", "--", "tail", "/dev/zero"}, cgroup.enter());
    EXPECT_EQ(other.wait(), 137);
    ASSERT_TRUE(probe->wait_for("memory.oom_kill"));
  }
  EXPECT_EQ(probe->wait(), 0);
  EXPECT_FALSE(has(probe->the("memory.oom_kill"), "survived"));
  EXPECT_TRUE(has(probe->the("probe.stopped"), R"("reason":"cgroup_removed")"));
}

TEST(RealCgroup, WatchesTheCgroupOfAProcess) {
  LimitedCgroup cgroup(kLimit);
  REQUIRE_CGROUP(cgroup);
  ProbeProcess other(run_script("echo ready; read line; exec tail /dev/zero"), cgroup.enter());
  ASSERT_TRUE(other.wait_for("ready"));
  ProbeProcess probe({"watch", "--format", "json", "--pid", std::to_string(other.pid())});
  ASSERT_TRUE(probe.wait_for(R"("event":"memory.sample")")) << probe.err();
  EXPECT_TRUE(has(probe.the("probe.started"), R"("cgroup_path":")" + cgroup.path() + '"'));
  EXPECT_TRUE(has(probe.the("probe.started"), R"("limit_bytes":67108864)"));
  probe.signal(SIGTERM);
  EXPECT_EQ(probe.wait(), 0);
}

TEST(RealCgroup, SnapshotIsAHealthCheck) {
  LimitedCgroup cgroup(kLimit);
  REQUIRE_CGROUP(cgroup);
  const auto snapshot = [&cgroup](std::vector<std::string> options) {
    std::vector<std::string> arguments = {"snapshot", "--cgroup", cgroup.path()};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return arguments;
  };
  ProbeProcess healthy(snapshot({"--fail-above", "95%", "--format", "json"}));
  EXPECT_EQ(healthy.wait(), 0) << healthy.err();
  EXPECT_TRUE(has(healthy.the("memory.sample"), R"("limit_bytes":67108864)"));
  EXPECT_EQ(healthy.err(), "");

  // Something that stays in the cgroup, so that it is above next to nothing.
  ProbeProcess resident(run_script("echo ready; exec sleep 600", {"--output", "/dev/null"}),
                        cgroup.enter());
  ASSERT_TRUE(resident.wait_for("ready"));
  ProbeProcess full(snapshot({"--fail-above", "0.1%", "--format", "text"}));
  EXPECT_EQ(full.wait(), 1);
  EXPECT_TRUE(has(full.out(), "64.0 MiB (own: ")) << full.out();
  EXPECT_TRUE(has(full.err(), "above 0.1%")) << full.err();
  resident.signal(SIGTERM);
  EXPECT_EQ(resident.wait(), 143);
}

TEST(RealCgroup, EveryLineIsWhatTheSchemaSays) {
  for (const std::string format : {"json", "emf"}) {
    LimitedCgroup cgroup(kLimit);
    REQUIRE_CGROUP(cgroup);
    test::FixtureTree tree;
    const std::string path = tree.path() + "/events";
    ProbeProcess probe({"run", "--format", format, "--output", path, "--interval", "100ms", "--",
                        "sh", "-c", "tail /dev/zero; sleep 0.3; exec tail /dev/zero"},
                       cgroup.enter());
    EXPECT_EQ(probe.wait(), 137);
    const std::string check = "/usr/bin/python3 -B " + test::tests_folder() +
                              "/support/validate_events.py " + path + " >&2";
    EXPECT_EQ(std::system(check.c_str()), 0) << *read_file(path);
    const auto text = *read_file(path);
    const auto first = text.find("memory.oom_kill");
    ASSERT_NE(first, std::string::npos) << text;
    EXPECT_NE(text.find("memory.oom_kill", first + 1), std::string::npos) << text;
  }
}

TEST(RealCgroup, AnOomKillerThatIsOffIsTold) {
  LimitedCgroup cgroup(kLimit);
  REQUIRE_CGROUP(cgroup);
  // cgroup v2 has no such switch.
  OOMDRILL_REQUIRE(cgroup.is_v1(), "memory is on cgroup v2", "run it where memory is on cgroup v1");
  ASSERT_TRUE(write_file(cgroup.path() + "/memory.oom_control", "1"));
  ProbeProcess doctor({"doctor"}, cgroup.enter());
  EXPECT_EQ(doctor.wait(), 0);
  EXPECT_TRUE(has(doctor.out(), "The OOM killer is off here")) << doctor.out();
  ProbeProcess probe(run_script("exit 0"), cgroup.enter());
  EXPECT_EQ(probe.wait(), 0);
  EXPECT_TRUE(has(probe.the("probe.warning"), "the OOM killer is off here")) << probe.out();
}

TEST(RealCgroup, DoctorFindsTheLimit) {
  LimitedCgroup cgroup(kLimit);
  REQUIRE_CGROUP(cgroup);
  ProbeProcess probe({"doctor", "--format", "json"}, cgroup.enter());
  EXPECT_EQ(probe.wait(), 0);
  const auto line = probe.the("probe.doctor");
  EXPECT_TRUE(has(line, R"("limit_bytes":67108864,"limit_source":"own")")) << line;
  EXPECT_FALSE(has(line, "truncated")) << line;
}

}  // namespace
}  // namespace oomdrill::probe
