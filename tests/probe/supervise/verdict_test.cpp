#include "supervise/verdict.h"

#include <gtest/gtest.h>

#include <csignal>

#include "supervise/signals.h"

namespace oomdrill::probe {
namespace {

/// As waitpid() reports it.
constexpr int exited(int status) { return status << 8; }
constexpr int signaled(int signal, bool core = false) { return signal | (core ? 0x80 : 0); }

struct Row {
  const char* what;
  Death death;
  const char* verdict;
  const char* confidence;
  int exit_code;
};

TEST(Verdict, FollowsFromTheEvidence) {
  const Row rows[] = {
      {"exit 0", {.wait_status = exited(0), .oom_kills = 0}, "completed", "certain", 0},
      {"exit 3", {.wait_status = exited(3), .oom_kills = 0}, "failed", "certain", 3},
      {"a shell that reports its OOM-killed child",
       {.wait_status = exited(137), .oom_kills = 1},
       "failed",
       "certain",
       137},
      {"exit 0 after SIGTERM",
       {.wait_status = exited(0), .stop_requested = true, .oom_kills = 0},
       "stopped",
       "certain",
       0},
      {"exit 143 after SIGTERM",
       {.wait_status = exited(143), .stop_requested = true, .oom_kills = 0},
       "stopped",
       "certain",
       143},
      {"SIGTERM from elsewhere",
       {.wait_status = signaled(SIGTERM), .oom_kills = 0},
       "stopped",
       "certain",
       143},
      {"SIGHUP", {.wait_status = signaled(SIGHUP), .oom_kills = 0}, "stopped", "certain", 129},
      {"SIGSEGV",
       {.wait_status = signaled(SIGSEGV, true), .oom_kills = 0},
       "crashed",
       "certain",
       139},
      {"SIGABRT while stopping is a crash",
       {.wait_status = signaled(SIGABRT), .stop_requested = true, .oom_kills = 0},
       "crashed",
       "certain",
       134},
      {"SIGUSR1", {.wait_status = signaled(SIGUSR1), .oom_kills = 0}, "failed", "certain", 138},
      {"OOM kill",
       {.wait_status = signaled(SIGKILL), .oom_kills = 1, .host_oom_kills = 1},
       "oom_killed",
       "certain",
       137},
      {"several kills at once",
       {.wait_status = signaled(SIGKILL), .oom_kills = 3, .host_oom_kills = 3},
       "oom_killed",
       "likely",
       137},
      {"another child was killed too",
       {.wait_status = signaled(SIGKILL), .oom_kills = 1, .others_killed = true},
       "oom_killed",
       "likely",
       137},
      {"our own SIGKILL and an OOM kill",
       {.wait_status = signaled(SIGKILL),
        .stop_requested = true,
        .killed_by_us = true,
        .oom_kills = 1},
       "oom_killed",
       "likely",
       137},
      {"SIGKILL from outside",
       {.wait_status = signaled(SIGKILL), .oom_kills = 0, .host_oom_kills = 0},
       "killed",
       "certain",
       137},
      {"SIGKILL while another container was OOM-killed",
       {.wait_status = signaled(SIGKILL), .oom_kills = 0, .host_oom_kills = 1},
       "killed",
       "likely",
       137},
      {"stop time-out",
       {.wait_status = signaled(SIGKILL),
        .stop_requested = true,
        .oom_kills = 0,
        .host_oom_kills = 0},
       "stop_timeout",
       "certain",
       137},
      {"--kill-after",
       {.wait_status = signaled(SIGKILL), .stop_requested = true, .killed_by_us = true},
       "stop_timeout",
       "certain",
       137},
      {"an abort at the limit",
       {.wait_status = signaled(SIGABRT), .oom_kills = 0, .used_percent = 99.5},
       "allocation_failed",
       "likely",
       134},
      {"an abort with room to spare",
       {.wait_status = signaled(SIGABRT), .oom_kills = 0, .used_percent = 50},
       "crashed",
       "certain",
       134},
      {"exit 1 with a full address space",
       {.wait_status = exited(1), .oom_kills = 0, .used_percent = 10, .vm_percent = 97},
       "allocation_failed",
       "likely",
       1},
      {"exit 137 at the limit is a shell's",
       {.wait_status = exited(137), .oom_kills = 0, .used_percent = 99.5},
       "failed",
       "certain",
       137},
      {"exit 1 at the limit, but asked to end",
       {.wait_status = exited(1), .stop_requested = true, .oom_kills = 0, .used_percent = 99.5},
       "stopped",
       "certain",
       1},
      {"exit 1 after a worker's OOM kill",
       {.wait_status = exited(1), .oom_kills = 1, .used_percent = 99.5},
       "failed",
       "certain",
       1},
      {"no counter at all", {.wait_status = signaled(SIGKILL)}, "killed", "unknown", 137},
      {"no cgroup, but the kernel killed nobody",
       {.wait_status = signaled(SIGKILL), .host_oom_kills = 0},
       "killed",
       "certain",
       137},
      {"no cgroup, and the kernel killed somebody",
       {.wait_status = signaled(SIGKILL), .host_oom_kills = 1},
       "killed",
       "unknown",
       137},
  };
  for (const Row& row : rows) {
    const Judgement judgement = judge(row.death);
    EXPECT_EQ(name(judgement.verdict), row.verdict) << row.what;
    EXPECT_EQ(name(judgement.confidence), row.confidence) << row.what;
    EXPECT_EQ(judgement.exit_code, row.exit_code) << row.what;
  }
}

TEST(Verdict, TellsSignalAndCore) {
  const Judgement judgement = judge({.wait_status = signaled(SIGSEGV, true)});
  EXPECT_EQ(judgement.signal, SIGSEGV);
  EXPECT_TRUE(judgement.core_dumped);
  EXPECT_EQ(judge({.wait_status = exited(9)}).signal, 0);
}

TEST(SignalName, IsTheKernelsName) {
  EXPECT_EQ(SignalName(SIGTERM).view(), "SIGTERM");
  EXPECT_EQ(SignalName(SIGKILL).view(), "SIGKILL");
  EXPECT_EQ(SignalName(SIGRTMIN + 3).view(), "SIGRTMIN+3");
  EXPECT_EQ(SignalName(SIGRTMAX).view().substr(0, 9), "SIGRTMIN+");
}

}  // namespace
}  // namespace oomdrill::probe
