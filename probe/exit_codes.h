#pragma once

namespace oomdrill::probe {

/// What oomprobe exits with. `oomprobe run` exits as its workload did: its own code, 128 + the
/// signal that ended it, so 137 after an OOM kill.
enum class ExitCode : int {
  success = 0,           ///< snapshot, doctor: as asked; watch: SIGTERM, SIGINT, or the cgroup went
  above = 1,             ///< snapshot --fail-above: it is above
  usage = 64,            ///< unknown option, bad value, missing command
  unavailable = 69,      ///< no memory cgroup, limit, ECS endpoint or recorder where one is needed
  internal_error = 70,   ///< a system call failed that cannot fail
  cannot_create = 73,    ///< --output or --recorder cannot be opened
  write_error = 74,      ///< all but run: the output could not be written
  not_executable = 126,  ///< run: the command was found and cannot be executed
  not_found = 127        ///< run: there is no such command
};

}  // namespace oomdrill::probe
