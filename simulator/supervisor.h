#pragma once

#include <sys/types.h>

#include <csignal>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "container.h"
#include "expectation.h"
#include "report.h"
#include "trend.h"

namespace oomdrill::simulator {

/// Runs the leak in child processes and tells what became of them: whoever is OOM-killed cannot
/// tell it, nor judge it. The kernel is made to take a child and not this process; the children
/// die with it, and a signal to it is theirs too.
class Supervisor {
 public:
  struct Parts {
    Clock& clock;
    Container& container;
    Report& report;
    const volatile std::sig_atomic_t& stop;  ///< the signal that came, or 0
    FileRoot root;
    std::string what;            ///< the workers do, for the live line
    std::optional<double> rate;  ///< asked of all of them, bytes a second
  };
  struct Worker {
    std::uint64_t number;   ///< from 1 on
    std::uint64_t restart;  ///< how many OOM kills came before
  };
  /// `restarts`: how many OOM-killed workers, all together, are replaced.
  /// `work` runs in a child; what it returns is the child's exit code.
  Supervisor(Parts parts, std::uint64_t workers, std::uint64_t restarts,
             std::function<int(const Worker&)> work);

  /// Until no worker is left. Error: no process could be made.
  Result<Ending> run();
  [[nodiscard]] std::uint64_t restarted() const { return restarted_; }
  /// As it was when last looked at.
  [[nodiscard]] State state() const;

 private:
  struct Child {
    pid_t pid;
    Worker worker;
  };
  Result<void> start(const Worker& worker);
  void look();
  void reap();
  void note_end(const Child& child, int status);
  void note_kill(const Child& child);

  Parts parts_;
  std::uint64_t workers_;
  std::uint64_t restarts_;
  std::function<int(const Worker&)> work_;
  std::vector<Child> children_;
  std::uint64_t restarted_ = 0;
  std::optional<std::uint64_t> kills_before_;
  std::uint64_t claimed_ = 0;  ///< of the kills since, those that a worker died of
  Curve curve_;
  Trend trend_;
  Nanoseconds begin_{0};
  Nanoseconds elapsed_{0};
  Nanoseconds next_line_{0};
  Ending ending_;
};

}  // namespace oomdrill::simulator
