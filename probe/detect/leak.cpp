#include <algorithm>

#include "detect/detectors.h"
#include "detect/growth.h"

namespace oomdrill::probe {
namespace {

/// Of Mann–Kendall: 0.6 % of windows without any trend reach it.
constexpr double kTrend = 2.5;
constexpr double kNoTrend = 1;
/// A forecast reaches no further than so many times what was seen.
constexpr int kReach = 20;
/// Less than this is page tables and the like.
constexpr double kLeastRise = 512 << 10;

/// Closer than this thresholds and last words say it all.
constexpr Nanoseconds kLastTold = std::chrono::seconds(1);

struct Forecast {
  Trend trend;
  Nanoseconds eta{};
};

std::optional<Forecast> forecast(const Reading& now, const Trend& trend) {
  if (trend.z < kTrend || trend.bytes_per_s * to_seconds(trend.span) < kLeastRise) {
    return std::nullopt;
  }
  const auto eta = time_to_limit(now, trend.bytes_per_s);
  if (!eta || *eta > trend.span * kReach) return std::nullopt;
  return Forecast{trend, *eta};
}

}  // namespace

std::optional<Finding> detect_growth(const Reading& now, const History& history, const Policy&) {
  if (!now.has_sample || !now.limit) return std::nullopt;
  std::optional<Forecast> soonest;
  bool over = true;
  for (const TrendWindow& window : history.trends()) {
    if (!window.trend()) continue;
    if (window.trend()->z >= kNoTrend && window.trend()->bytes_per_s > 0) over = false;
    const auto found = forecast(now, *window.trend());
    if (found && (!soonest || found->eta < soonest->eta)) soonest = found;
  }
  if (history.growth_told) {
    if (over) return GrowthFound{false, {}, {}};
    // Each further line halves the time that is left: the approach to a limit costs few.
    if (!soonest || *history.growth_told < kLastTold || soonest->eta > *history.growth_told / 2) {
      return std::nullopt;
    }
  }
  if (!soonest) return std::nullopt;
  return GrowthFound{true, soonest->trend, soonest->eta};
}

}  // namespace oomdrill::probe
