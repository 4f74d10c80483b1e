#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "detect/finding.h"
#include "source/reading.h"

namespace oomdrill::probe {

/// What was seen before this look, and what has been said of it. Fixed in size.
class History {
 public:
  struct Point {
    Nanoseconds at{};
    std::uint64_t demand = 0;
  };
  static constexpr std::size_t kPoints = 64;
  static constexpr std::size_t kPressureCauses = 4;

  /// The last full look; `at` 0 and no sample where there was none.
  [[nodiscard]] const Reading& last() const { return last_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  /// The `back`-th point from the newest, 0 being the newest; back < size().
  [[nodiscard]] const Point& point(std::size_t back) const {
    return points_[(next_ + kPoints - 1 - back) % kPoints];
  }

  /// How many thresholds, from the least, are announced as crossed.
  std::size_t crossed = 0;
  /// The effective limit as last told.
  cgroup::Bytes limit;
  /// Demand as the last line (a sample, last words) told it.
  std::uint64_t told = 0;
  /// The OOM counters up to which kills are reported.
  cgroup::Counters own;
  cgroup::Counters hierarchical;

  /// The forecast as last told; nullopt: no growth is told, or its end is.
  std::optional<Nanoseconds> growth_told;
  /// Since when each cause of pressure is told; nullopt: it is not.
  std::array<std::optional<Nanoseconds>, kPressureCauses> pressure;
  /// Looks in a row in which nothing happened.
  int calm = 0;
  /// When the look is that is being judged.
  Nanoseconds now_at{};

  /// Seconds and minutes: a fast leak, and one that takes hours.
  [[nodiscard]] const std::array<TrendWindow, 2>& trends() const { return trends_; }
  /// Before the detectors are asked about `reading`.
  void follow(const Reading& reading) {
    now_at = reading.at;
    const auto memory = held(reading);
    if (!memory) return;
    for (TrendWindow& window : trends_) window.push(reading.at, *memory);
  }

  void push(const Reading& reading) {
    last_ = reading;
    points_[next_] = {reading.at, demand(reading)};
    next_ = (next_ + 1) % kPoints;
    if (size_ < kPoints) ++size_;
  }
  /// A baseline for kills: nothing that happened before counts.
  void take_counters(const cgroup::Sample& sample) {
    own = sample.own;
    hierarchical = sample.hierarchical;
  }
  /// Notes that `finding` has been told, so that it is not found again.
  void note(const Finding& finding);

 private:
  Reading last_;
  std::array<TrendWindow, 2> trends_ = {TrendWindow(std::chrono::milliseconds(20)),
                                        TrendWindow(std::chrono::seconds(30))};
  std::array<Point, kPoints> points_{};
  std::size_t next_ = 0;
  std::size_t size_ = 0;
};

}  // namespace oomdrill::probe
