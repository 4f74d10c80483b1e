#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "supervise/signals.h"

namespace oomdrill::probe {

struct Launch {
  std::vector<std::string> command;
  std::optional<int> oom_score_adj;  ///< nullopt: keep
};

struct Child {
  pid_t pid = -1;
  /// Held, so that asking whether the child is dying opens nothing; invalid without /proc.
  Fd stat;
  std::optional<int> oom_score_adj;  ///< in effect; nullopt: /proc does not say
  bool foreground = false;           ///< it was handed the terminal, which is ours to take back
  int oom_score_errno = 0;           ///< why the asked score was not set; 0: it was
};

/// Forks and executes: its own process group, the terminal's foreground where it has one, signals
/// as this process found them. Returns once exec has succeeded, so a failed exec is an error here:
/// its errnum is exec's, and `exec_exit_code` tells what a shell would exit with.
Result<Child> launch(const Launch& launch, const SignalInbox& signals, const FileRoot& root);

/// 127 where there is no such command, 126 where it cannot be executed.
int exec_exit_code(const Error& error);

/// The own score raised just enough that the kernel takes the workload and not the probe: 8 MiB,
/// several times the probe's memory, as a part of the limit. More would make the workload the
/// victim of other containers' growth under a limit that they share.
int raised_score(int own, std::optional<std::uint64_t> limit);

/// Of a process; nullopt where /proc does not say.
std::optional<int> read_oom_score_adj(const FileRoot& root, const std::string& process);

}  // namespace oomdrill::probe
