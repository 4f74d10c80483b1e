#pragma once

#include <optional>
#include <vector>

namespace oomdrill::trend {

struct Point {
  double at_s;
  double value;
};

/// A slope with its 95 % interval, a second.
struct Slope {
  double per_s = 0;
  double low = 0;
  double high = 0;

  [[nodiscard]] bool rises() const { return low > 0; }
};

/// The median of the slopes of all pairs of points (Theil 1950, Sen 1968): up to 29 % of the points
/// may be anything. The interval is Sen's, by the variance of Kendall's tau, widened where what the
/// line leaves over depends on what came before: samples of memory do. nullopt below 4 points or
/// where all are of one moment. Quadratic: at most kMostPoints.
std::optional<Slope> theil_sen(const std::vector<Point>& points);
constexpr std::size_t kMostPoints = 128;

/// The median; it reorders `values`, which are not empty.
double median(std::vector<double>& values);

}  // namespace oomdrill::trend
