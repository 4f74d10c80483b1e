// The cases of tini's and dumb-init's own tests that run_test.cpp has not: docs/pid1.md lists all.
#include <gtest/gtest.h>

#include <fstream>

#include "probe_process.h"

namespace oomdrill::probe {
namespace {

using fake::has;
using fake::ProbeProcess;
using fake::run_script;

/// What stands behind `mark` in the output, up to the line's end.
std::string after(const std::string& text, const std::string& mark) {
  const auto at = text.find(mark);
  if (at == std::string::npos) return {};
  const auto from = at + mark.size();
  return text.substr(from, text.find('\n', from) - from);
}

char state_of(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::string line;
  std::getline(file, line);
  const auto end = line.rfind(')');
  return end == std::string::npos ? '?' : line.at(end + 2);
}

bool reaches(const std::string& pid, const std::string& states) {
  const auto deadline = std::chrono::steady_clock::now() + fake::kPatience;
  while (states.find(state_of(pid)) == std::string::npos) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

TEST(Pid1, ExitCodesGoThrough) {
  for (const int code : {0, 1, 2, 32, 64, 125, 126, 127, 128, 137, 254, 255}) {
    ProbeProcess probe(run_script("exit " + std::to_string(code)));
    EXPECT_EQ(probe.wait(), code);
  }
}

TEST(Pid1, ASignalThatEndsTheCommandIs128AndItsNumber) {
  for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGTERM}) {
    ProbeProcess probe(run_script("echo ready; exec sleep 600"));
    ASSERT_TRUE(probe.wait_for("ready\n"));
    probe.signal(signal);
    EXPECT_EQ(probe.wait(), 128 + signal);
  }
}

TEST(Pid1, SignalsAreAsTheCommandWouldHaveFoundThem) {
  ProbeProcess probe({"run", "--format", "json", "--", "cat", "/proc/self/status"}, [] {
    for (const int signal : {SIGTTOU, SIGSEGV, SIGINT}) ::signal(signal, SIG_IGN);
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGTTIN, SIGILL, SIGTERM}) sigaddset(&set, signal);
    sigprocmask(SIG_BLOCK, &set, nullptr);
  });
  EXPECT_EQ(probe.wait(), 0);
  const auto bits = [](std::initializer_list<int> signals) {
    unsigned long value = 0;
    for (const int signal : signals) value |= 1UL << (signal - 1);
    return value;
  };
  const std::string out = probe.out();
  EXPECT_EQ(std::stoul(after(out, "SigIgn:\t"), nullptr, 16), bits({SIGTTOU, SIGSEGV, SIGINT}));
  EXPECT_EQ(std::stoul(after(out, "SigBlk:\t"), nullptr, 16), bits({SIGTTIN, SIGILL, SIGTERM}));
}

TEST(Pid1, TheCommandIsSuspendedAndResumedWhileTheProbeGoesOn) {
  ProbeProcess probe(run_script("trap 'exit 5' USR1; echo pid $$; while :; do sleep 0.02; done",
                                {"--interval", "20ms"}));
  ASSERT_TRUE(probe.wait_for("\npid "));
  const std::string pid = after(probe.out(), "\npid ");
  for (int i = 0; i < 3; ++i) {
    probe.signal(SIGTSTP);
    ASSERT_TRUE(reaches(pid, "T")) << state_of(pid);
    const auto samples = probe.count("memory.sample");
    const auto deadline = std::chrono::steady_clock::now() + fake::kPatience;
    while (probe.count("memory.sample") <= samples && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    EXPECT_GT(probe.count("memory.sample"), samples);
    probe.signal(SIGCONT);
    ASSERT_TRUE(reaches(pid, "SR")) << state_of(pid);
  }
  probe.signal(SIGUSR1);
  EXPECT_EQ(probe.wait(), 5);
}

TEST(Pid1, WhoIsLeftBehindIsNotSignalled) {
  ProbeProcess probe(
      run_script("(trap 'echo $((20 + 2)) signals' TERM HUP INT; echo pid $(sh -c 'echo $PPID'); "
                 "while :; do sleep 0.02; done) & sleep 0.2; exit 3"));
  EXPECT_EQ(probe.wait(), 3);
  const std::string pid = after(probe.out(), "\npid ");
  ASSERT_FALSE(pid.empty()) << probe.out();
  EXPECT_TRUE(reaches(pid, "SR")) << state_of(pid);
  EXPECT_FALSE(has(probe.out(), "22 signals"));
  ::kill(std::stoi(pid), SIGKILL);
}

TEST(Pid1, TheGroupIsSignalledThoughTheCommandIgnoresIt) {
  // tini's own: the command ignores it, its child ends by it, and then the command by itself.
  ProbeProcess probe(
      run_script("trap '' USR1; sh -c 'trap - USR1; exec env --default-signal=USR1 "
                 "sh -c \"echo ready; exec sleep 600\"'; exit 4",
                 {"--signal-group"}));
  ASSERT_TRUE(probe.wait_for("ready\n"));
  probe.signal(SIGUSR1);
  EXPECT_EQ(probe.wait(), 4);
}

}  // namespace
}  // namespace oomdrill::probe
