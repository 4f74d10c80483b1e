#pragma once

namespace oomdrill::simulator {

/// How leaksim exits. An OOM kill is the kernel's: 137 for a shell.
enum ExitCode : int {
  kDone = 0,      ///< --until, --duration or --max-bytes was reached, or SIGTERM or SIGINT came;
                  ///< with --expect: it ended so
  kUnmet = 1,     ///< it did not end as --expect says
  kUnjudged = 2,  ///< whether it did cannot be told: no OOM counter, or too short for a plateau
  kUsage = 64,    ///< a wrong option or value, or a target that cannot be reached
  kUnavailable = 69,  ///< no memory cgroup or no limit, or no room for a leak in it
  kInternal = 70,     ///< a fault of leaksim's own
  kNoMemory = 71,     ///< the kernel refused memory before any limit was reached (ulimit -v)
  kNotWritten = 74,   ///< an answer could not be written; a leak goes on without its reader
};
/// Of a worker whose parent has gone; nobody is left to see it.
inline constexpr int kOrphaned = kInternal;

// 137: a worker was killed, with --workers or --restart and without --expect.
// 128 + signal: a second SIGTERM or SIGINT came, over a second after one that is not obeyed yet.

}  // namespace oomdrill::simulator
