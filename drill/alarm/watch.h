#pragma once

#include <optional>

#include "alarm/findings.h"
#include "alarm/metrics.h"
#include "recording/account.h"
#include "recording/record.h"

namespace oomdrill::alarm {

/// Takes the events of recordings in: what alarms see, and when the incident was.
class Watch {
 public:
  /// `stretch`: a second of the recording counts as so many, for a drill that is a scaled one;
  /// nullopt: as the recording itself says.
  explicit Watch(SeriesSet series, std::optional<double> stretch = {})
      : series_(std::move(series)), stretch_(stretch.value_or(1)), given_(stretch.has_value()) {}

  /// Of one recording at a time; next_recording() between two.
  void note(const recording::Record& record);
  void next_recording();

  [[nodiscard]] const SeriesSet& series() const { return series_; }
  [[nodiscard]] double stretch() const { return stretch_; }
  /// The recordings say another stretch each: without one that is given they have no common time.
  [[nodiscard]] bool is_mixed() const { return mixed_; }
  /// nullopt: there was no event.
  [[nodiscard]] std::optional<Incident> incident() const;
  /// Of the recording that holds the first kill, or else of the last one; without its samples.
  [[nodiscard]] const recording::Account& account() const { return told_; }

 private:
  [[nodiscard]] WallTime stretched(WallTime at) const;

  SeriesSet series_;
  double stretch_;
  bool given_;
  bool mixed_ = false;
  std::optional<WallTime> base_ = {};  ///< the stretch's fixed point
  std::optional<WallTime> begin_ = {};
  std::optional<WallTime> end_ = {};
  std::optional<WallTime> origin_ = {};
  std::optional<WallTime> kill_ = {};
  std::optional<std::uint64_t> limit_bytes_ = {};
  std::optional<std::uint64_t> curve_limit_bytes_ = {};  ///< of the last sample
  recording::Account account_ = {};
  recording::Account told_ = {};
};

}  // namespace oomdrill::alarm
