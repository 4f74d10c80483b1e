#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/units.h"

/// Child processes.
namespace oomdrill::run {

struct Child {
  pid_t pid = -1;
  Fd out;  ///< its stdout and stderr, non-blocking on our side
  Fd err;
};

/// Forks, calls `enter` in the child (async-signal-safe; 0 or an errno), and executes argv[0].
/// The child has its own process group, so that Ctrl-C reaches it only as we forward it, dies
/// with us, and reads /dev/null. Error: fork, `enter` or exec failed.
Result<Child> spawn(const std::vector<std::string>& argv, const std::function<int()>& enter = {});

struct Finished {
  int status = 0;  ///< as waitpid gives it
  std::string out;
  std::string err;

  [[nodiscard]] bool ok() const;
  /// The last line of its stderr, or how it ended.
  [[nodiscard]] std::string reason() const;
};

/// Runs a helper (docker, systemctl) to its end. Error: it cannot be started, or `patience` is over
/// (it is killed then).
Result<Finished> run_to_end(const std::vector<std::string>& argv, Nanoseconds patience);

/// The program of that name beside our own executable, or else on PATH.
Result<std::string> find_program(const std::string& name);
/// On PATH alone.
Result<std::string> find_on_path(const std::string& name);

/// "exited 3", "died by SIGKILL".
std::string describe_status(int status);
/// As a shell shows it: 128 + signal.
int exit_code_of(int status);

/// Words as a shell would take them back: 'it''s' quoted where needed.
std::string join_command(const std::vector<std::string>& argv);

}  // namespace oomdrill::run
