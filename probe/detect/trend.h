#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "source/reading.h"

namespace oomdrill::probe {

/// Memory that reclaim cannot take back without swap, by kind. Page cache is left out: it grows
/// up to any limit and harms nobody.
struct Held {
  std::uint64_t anon = 0;
  std::uint64_t shmem = 0;
  std::uint64_t kernel = 0;

  [[nodiscard]] std::uint64_t total() const { return anon + shmem + kernel; }
};
/// nullopt: memory.stat was not read.
std::optional<Held> held(const Reading& reading);

/// What a window of points says: the Theil–Sen estimator, which up to 29 % of outliers do not move.
struct Trend {
  double bytes_per_s = 0;  ///< the median of the slopes of all pairs
  double low = 0;          ///< their lower quartile
  double high = 0;         ///< their upper quartile
  double z = 0;            ///< Mann–Kendall: how far from no trend, in standard deviations
  Nanoseconds span{};
  std::size_t points = 0;
  std::string_view grows;  ///< the kind that grew the most: anon, shmem, kernel
};

/// The last points, each at least `spacing` after the one before. Fixed in size.
class TrendWindow {
 public:
  static constexpr std::size_t kPoints = 24;
  static constexpr std::size_t kLeastPoints = 6;

  explicit TrendWindow(Nanoseconds spacing) : spacing_(spacing) {}
  /// True: the point was taken, and trend() is another.
  bool push(Nanoseconds at, const Held& held);
  /// nullopt: too few points.
  [[nodiscard]] const std::optional<Trend>& trend() const { return trend_; }

 private:
  struct Point {
    Nanoseconds at{};
    Held held;
  };
  [[nodiscard]] const Point& point(std::size_t i) const {
    return points_[(next_ + kPoints - size_ + i) % kPoints];
  }
  [[nodiscard]] Trend estimate() const;

  Nanoseconds spacing_;
  std::array<Point, kPoints> points_{};
  std::size_t next_ = 0;
  std::size_t size_ = 0;
  std::optional<Trend> trend_;
};

}  // namespace oomdrill::probe
