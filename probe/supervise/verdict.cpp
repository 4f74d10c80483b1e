#include "supervise/verdict.h"

#include <sys/wait.h>

#include <csignal>

namespace oomdrill::probe {
namespace {

bool is_crash(int signal) {
  switch (signal) {
    case SIGSEGV:
    case SIGABRT:
    case SIGBUS:
    case SIGILL:
    case SIGFPE:
    case SIGTRAP:
    case SIGSYS:
      return true;
    default:
      return false;
  }
}

/// Ends a process that does not handle it, and is sent for that purpose.
bool ends(int signal) {
  return signal == SIGTERM || signal == SIGINT || signal == SIGQUIT || signal == SIGHUP;
}

/// Ways to end that runtimes take when malloc() or their own heap has nothing left: abort(), a
/// null pointer, an exit code of their own, or what a shell makes of these.
bool may_be_allocator(const Judgement& end) {
  if (end.signal != 0) return end.signal == SIGABRT || end.signal == SIGSEGV;
  constexpr int kShell = 126;  // from here on: not executable, not found, 128 + signal
  return (end.exit_code > 0 && end.exit_code < kShell) || end.exit_code == 128 + SIGABRT ||
         end.exit_code == 128 + SIGSEGV;
}

/// At the limit, within what the kernel charges in batches and what one more request may ask for.
bool exhausted(const Death& death) {
  constexpr double kFull = 95;
  return death.used_percent.value_or(0) >= kFull || death.vm_percent.value_or(0) >= kFull;
}

/// Whether a SIGKILL was the OOM killer's. The kernel raises the counter before it sends the
/// signal (facts.md, 2), so a counter that did not move rules it out.
void judge_sigkill(const Death& death, Judgement& out) {
  if (death.oom_kills && *death.oom_kills > 0) {
    out.verdict = Verdict::oom_killed;
    // One kill and one death: certain. With more of either, another process may be the victim.
    const bool alone = *death.oom_kills == 1 && !death.others_killed && !death.killed_by_us;
    out.confidence = alone ? Confidence::certain : Confidence::likely;
    return;
  }
  out.verdict = death.stop_requested ? Verdict::stop_timeout : Verdict::killed;
  if (death.killed_by_us || (death.host_oom_kills && *death.host_oom_kills == 0)) {
    out.confidence = Confidence::certain;
  } else if (death.oom_kills) {
    // Ours did not move, the host's did or cannot be read: a v1 counter does not see a workload
    // that moved itself to another cgroup.
    out.confidence = death.host_oom_kills ? Confidence::likely : Confidence::certain;
  }
}

}  // namespace

std::string_view name(Verdict verdict) {
  switch (verdict) {
    case Verdict::completed:
      return "completed";
    case Verdict::failed:
      return "failed";
    case Verdict::crashed:
      return "crashed";
    case Verdict::oom_killed:
      return "oom_killed";
    case Verdict::killed:
      return "killed";
    case Verdict::stopped:
      return "stopped";
    case Verdict::stop_timeout:
      return "stop_timeout";
    case Verdict::allocation_failed:
      return "allocation_failed";
  }
  return "failed";
}

Judgement judge(const Death& death) {
  Judgement out;
  out.confidence = Confidence::certain;
  if (WIFSIGNALED(death.wait_status)) {
    out.signal = WTERMSIG(death.wait_status);
    out.core_dumped = WCOREDUMP(death.wait_status);
    out.exit_code = 128 + out.signal;
    if (out.signal == SIGKILL) {
      out.confidence = Confidence::unknown;
      judge_sigkill(death, out);
    } else if (is_crash(out.signal)) {
      out.verdict = Verdict::crashed;
    } else if (ends(out.signal) || death.stop_requested) {
      out.verdict = Verdict::stopped;
    } else {
      out.verdict = Verdict::failed;
    }
  } else {
    out.exit_code = WEXITSTATUS(death.wait_status);
    if (death.stop_requested) {
      out.verdict = Verdict::stopped;
    } else {
      out.verdict = out.exit_code == 0 ? Verdict::completed : Verdict::failed;
    }
  }
  // The kernel tells nobody that a request for memory failed: circumstances only.
  const bool gave_up = out.verdict == Verdict::crashed || out.verdict == Verdict::failed;
  if (gave_up && death.oom_kills.value_or(0) == 0 && may_be_allocator(out) && exhausted(death)) {
    out.verdict = Verdict::allocation_failed;
    out.confidence = Confidence::likely;
  }
  return out;
}

}  // namespace oomdrill::probe
