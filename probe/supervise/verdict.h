#pragma once

#include <optional>
#include <string_view>

#include "cgroup/sample.h"
#include "detect/scope.h"

namespace oomdrill::probe {

enum class Verdict {
  completed,         ///< exit code 0
  failed,            ///< another exit code, or a signal that says nothing more
  crashed,           ///< a signal of its own making: SIGSEGV, SIGABRT, …
  oom_killed,        ///< SIGKILL, and the OOM counter rose
  killed,            ///< SIGKILL from outside
  stopped,           ///< asked to end, and did
  stop_timeout,      ///< asked to end, did not, and got a SIGKILL
  allocation_failed  ///< gave up by itself, with no memory left to get
};

std::string_view name(Verdict);

struct Death {
  int wait_status = 0;          ///< as waitpid() gives it
  bool stop_requested = false;  ///< we forwarded a SIGTERM, SIGINT or SIGQUIT
  bool killed_by_us = false;    ///< --kill-after ran out
  /// OOM kills counted since the last look, read after the death; nullopt: no counter, or one
  /// that is not to be trusted.
  cgroup::Count oom_kills = std::nullopt;
  cgroup::Count host_oom_kills = std::nullopt;  ///< the same of /proc/vmstat
  bool others_killed = false;  ///< another of our children died by SIGKILL in the same look
  /// Working set at the last look, in percent of the limit.
  std::optional<double> used_percent = std::nullopt;
  /// Address space at the last look, in percent of its RLIMIT_AS.
  std::optional<double> vm_percent = std::nullopt;
};

struct Judgement {
  Verdict verdict = Verdict::failed;
  Confidence confidence = Confidence::unknown;
  int exit_code = 0;  ///< what the program exits with
  int signal = 0;     ///< 0: it exited
  bool core_dumped = false;
};

Judgement judge(const Death& death);

}  // namespace oomdrill::probe
