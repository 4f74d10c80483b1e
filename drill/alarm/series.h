#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "alarm/model.h"

namespace oomdrill::alarm {

/// Alarms think in whole seconds of UTC.
using Instant = std::chrono::sys_seconds;

/// What CloudWatch keeps of some samples: a statistic set.
struct Sum {
  double sum = 0;
  double least = 0;
  double most = 0;
  std::uint64_t count = 0;

  void add(const Sum& other);
};

/// The samples of one metric, kept as statistic sets of a second each; of long recordings as sets
/// of ten seconds, then of a minute, so that its memory is bounded. Samples come in any order.
class Series {
 public:
  /// Sets that are kept before they are joined: 8 MB.
  static constexpr std::size_t kMostSets = 200'000;

  /// `resolution` is the metric's: alarms see nothing that is shorter. `keeps_values` for
  /// percentiles: 16 bytes a sample more.
  explicit Series(seconds resolution = seconds(1), bool keeps_values = false)
      : resolution_(resolution), keeps_values_(keeps_values) {}

  void add(Instant at, double value);
  /// Samples that are summed up already; percentiles take their average for each.
  void add(Instant at, const Sum& set);

  [[nodiscard]] bool empty() const { return sets_.empty(); }
  [[nodiscard]] Instant first() const { return Instant(seconds(sets_.front().at)); }
  /// When the last set begins.
  [[nodiscard]] Instant last() const { return Instant(seconds(sets_.back().at)); }
  [[nodiscard]] seconds resolution() const { return resolution_; }
  /// The length of a set.
  [[nodiscard]] seconds step() const { return seconds(step_); }

  struct Set {
    std::int64_t at = 0;  ///< seconds since the epoch, a multiple of step()
    Sum sum = {};
  };
  [[nodiscard]] const std::vector<Set>& sets() const { return sets_; }

  /// Over [from, from + length); nullopt without a sample.
  [[nodiscard]] std::optional<Sum> sum(Instant from, seconds length) const;
  [[nodiscard]] std::optional<double> value(const Statistic& statistic, Instant from,
                                            seconds length) const;

 private:
  struct Value {
    std::int64_t at;
    double value;
  };
  void coarsen();
  [[nodiscard]] std::optional<double> percentile(double percent, Instant from,
                                                 seconds length) const;

  seconds resolution_;
  bool keeps_values_;
  std::int64_t step_ = 1;
  std::vector<Set> sets_;
  mutable std::vector<Value> values_;
  mutable bool values_sorted_ = true;
};

}  // namespace oomdrill::alarm
