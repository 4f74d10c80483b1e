#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/units.h"
#include "plan/plan.h"

namespace oomdrill::simulator {

/// What was asked for and what came of it, in bytes since the start.
struct Account {
  std::uint64_t requested = 0;  ///< due by the plan
  std::uint64_t achieved = 0;   ///< allocated
  std::uint64_t debt = 0;       ///< due, to be made up for
  std::uint64_t lost = 0;       ///< due, and given up
  Nanoseconds last_due{0};      ///< of the last step in `requested`
};

/// Holds a plan against the time. Deadlines are absolute: what a late step lacks, the next ones
/// make up for. Growth that is more than kPatience late is given up and counted as lost, so that
/// a process that was frozen for an hour does not pour out that hour's growth at once.
class Pacer {
 public:
  static constexpr Nanoseconds kPatience = std::chrono::seconds(10);

  /// `nominal` is the same plan once more: it only adds up what is due.
  Pacer(std::unique_ptr<plan::Plan> plan, std::unique_ptr<plan::Plan> nominal);

  /// When the next step is due, since the start; nullopt when the plan has ended.
  [[nodiscard]] std::optional<Nanoseconds> next_due() const;

  /// The step that is due by `elapsed`, if any; Grow steps that are due together come as one.
  std::optional<plan::Action> take(Nanoseconds elapsed);

  /// As of `elapsed`, which never decreases; `achieved` bytes were allocated by then.
  Account account(Nanoseconds elapsed, std::uint64_t achieved);

  /// An infinite rate has no timetable: nothing is ever late, and what was achieved was asked for.
  [[nodiscard]] bool unpaced() const { return unpaced_; }
  [[nodiscard]] std::optional<double> nominal_rate() const { return nominal_->nominal_rate(); }

 private:
  std::unique_ptr<plan::Plan> plan_;
  std::unique_ptr<plan::Plan> nominal_;
  bool unpaced_;
  std::optional<plan::Step> next_;
  std::optional<plan::Step> next_nominal_;
  plan::Totals requested_;
  Nanoseconds last_due_{0};
  std::uint64_t lost_ = 0;
};

}  // namespace oomdrill::simulator
