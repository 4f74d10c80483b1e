#pragma once

#include <csignal>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "container.h"
#include "ledger.h"
#include "observers.h"
#include "options.h"
#include "pacer.h"
#include "report.h"
#include "trend.h"

namespace oomdrill::simulator {

/// How a leak ended; the names are leak.stopped's.
enum class Reason {
  until,
  duration,
  max_bytes,
  plan_ended,
  signal,
  allocation_failed,
  cgroup_lost
};

std::string_view name(Reason reason);

/// The loop: carries the steps out when they are due, watches the target and the signals, and
/// reports. Allocates nothing itself in the steady state.
class Leak {
 public:
  struct Parts {
    Clock& clock;
    Pacer& pacer;
    Ledger& ledger;
    Container& container;
    Report& report;
    const Proof* proof;                      ///< null where others leak in the cgroup too
    const Allocator* heap;                   ///< that the memory is from; null for other kinds
    const volatile std::sig_atomic_t& stop;  ///< the signal that came, or 0
  };
  /// `until_bytes`: the usage of the cgroup at which growth ends. `rss`: reads this process's
  /// resident bytes.
  Leak(const Parts& parts, const Settings& settings, std::optional<std::uint64_t> until_bytes,
       std::function<std::optional<std::uint64_t>()> rss);

  /// Until one of the reasons, which leak.stopped then reports.
  Reason run();
  /// Behind allocation_failed and cgroup_lost.
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  enum class Phase {
    growing,    ///< by the plan
    driving,    ///< the plan has ended, and the kill is asked for: as fast as pages can be written
    holding,    ///< at the target, or at what the growth came to
    releasing,  ///< about to give all back, once the step that reached the target is through
    released,   ///< nothing is left
  };

  [[nodiscard]] Nanoseconds elapsed() const { return parts_.clock.now() - start_; }
  void carry_out(const plan::Action& action);
  /// Whether the usage may be at the target by now: else it is not read.
  [[nodiscard]] bool could_be_reached() const;
  /// Looks up from the work: signal, target, report. False: do not grow on.
  bool look_up();
  void end_growth(Reason reason);
  /// The next step of the growth, if one is due.
  bool grow();
  void release();
  /// Moves the reading of the cgroup back to the target, up or down.
  void follow();
  /// The reading that --until and hold look at, read now; nullopt: it is lost, and so is the run.
  std::optional<std::uint64_t> read_basis();
  void grow_by(std::uint64_t bytes, std::uint64_t target);
  void shrink_by(std::uint64_t bytes, std::uint64_t reading);
  void report_due(Nanoseconds now);
  void sleep();
  /// The usage above that at the start, once all was given back.
  std::optional<std::uint64_t> left_over();
  /// --touch: what is due since the last time.
  void touch(Nanoseconds now);
  [[nodiscard]] bool time_is_up() const;
  /// As of `due`, with what was read now.
  State state(Nanoseconds due);
  State final_state();

  Parts parts_;
  const Settings& settings_;
  std::optional<std::uint64_t> until_bytes_;
  std::function<std::optional<std::uint64_t>()> rss_;
  Nanoseconds report_every_;
  Nanoseconds start_{0};
  std::optional<std::uint64_t> start_rss_;
  Nanoseconds next_report_;
  std::uint64_t start_used_ = 0;
  std::uint64_t last_reading_ = 0;    ///< compared with the target
  std::uint64_t look_allocated_ = 0;  ///< when that was
  Nanoseconds last_look_{0};
  Nanoseconds last_touch_{0};
  std::uint64_t touched_ = 0;   ///< bytes
  Nanoseconds last_growth_{0};  ///< when the last step that grew was done
  Phase phase_ = Phase::growing;
  bool passed_ = false;           ///< the target, on the way to the kill
  Nanoseconds next_tick_{0};      ///< of holding
  Nanoseconds next_shrink_{0};    ///< not before, where the last ones changed nothing
  unsigned futile_ = 0;           ///< how many of them in a row
  std::optional<Reason> ended_;   ///< the run is over
  std::optional<Account> final_;  ///< growth is over; as it was then
  std::optional<Error> error_;
  Trend trend_;
};

}  // namespace oomdrill::simulator
