#include "trend/theil_sen.h"

#include <algorithm>
#include <cmath>

namespace oomdrill::trend {
namespace {

/// Of what the least-squares line leaves over: how much a point says of the next. Not of the
/// median's line: where values come in steps that nearly keep time with the points, most pairs have
/// the step's own slope, and what that leaves over drifts.
double lag_one(const std::vector<Point>& points) {
  const auto count = static_cast<double>(points.size());
  Point mean{0, 0};
  for (const Point& point : points) {
    mean.at_s += point.at_s / count;
    mean.value += point.value / count;
  }
  double squared_time = 0;
  double product_of_both = 0;
  for (const Point& point : points) {
    squared_time += (point.at_s - mean.at_s) * (point.at_s - mean.at_s);
    product_of_both += (point.at_s - mean.at_s) * (point.value - mean.value);
  }
  const double slope = product_of_both / squared_time;
  double square = 0;
  double product = 0;
  double before = 0;
  for (const Point& point : points) {
    const double left = point.value - mean.value - slope * (point.at_s - mean.at_s);
    square += left * left;
    product += left * before;
    before = left;
  }
  return square > 0 ? std::clamp(product / square, 0.0, 0.95) : 0;
}

}  // namespace

double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

std::optional<Slope> theil_sen(const std::vector<Point>& points) {
  const std::size_t n = points.size();
  if (n < 4) return std::nullopt;
  std::vector<double> slopes;
  slopes.reserve(n * (n - 1) / 2);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = i + 1; k < n; ++k) {
      const double apart = points[k].at_s - points[i].at_s;
      if (apart > 0) slopes.push_back((points[k].value - points[i].value) / apart);
    }
  }
  if (slopes.size() < 3) return std::nullopt;
  std::sort(slopes.begin(), slopes.end());
  const std::size_t half = slopes.size() / 2;
  const double slope =
      slopes.size() % 2 == 1 ? slopes[half] : (slopes[half - 1] + slopes[half]) / 2;

  const double r = lag_one(points);
  const auto count = static_cast<double>(n);
  const double spread = std::sqrt(count * (count - 1) * (2 * count + 5) / 18 * (1 + r) / (1 - r));
  const auto pairs = static_cast<double>(slopes.size());
  const double wide = 1.96 * spread;
  const auto at = [&](double rank) {
    return slopes[static_cast<std::size_t>(std::clamp(std::round(rank), 0.0, pairs - 1))];
  };
  return Slope{slope, at((pairs - wide) / 2 - 1), at((pairs + wide) / 2)};
}

}  // namespace oomdrill::trend
