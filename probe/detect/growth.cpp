#include "detect/growth.h"

#include <algorithm>

namespace oomdrill::probe {
namespace {

constexpr Nanoseconds kWindow = std::chrono::seconds(5);
/// Below this a step of the kernel's charge batches (256 KiB a CPU) looks like a burst.
constexpr Nanoseconds kLeastStep = std::chrono::milliseconds(20);
constexpr std::size_t kSteps = 16;

double slope(std::uint64_t from, std::uint64_t to, Nanoseconds time) {
  return (static_cast<double>(to) - static_cast<double>(from)) / to_seconds(time);
}

}  // namespace

std::optional<double> growth(const Reading& now, const History& history) {
  if (!now.has_sample) return std::nullopt;
  std::optional<double> found;
  for (std::size_t back = 0; back < history.size(); ++back) {
    const auto& point = history.point(back);
    const Nanoseconds age = now.at - point.at;
    if (age < kLeastStep) continue;
    if (found && age > kWindow) break;
    found = slope(point.demand, demand(now), age);
  }
  return found;
}

double fastest_rise(const Reading& now, const History& history) {
  if (!now.has_sample) return 0;
  double most = 0;
  History::Point later{now.at, demand(now)};
  const std::size_t steps = std::min(history.size(), kSteps);
  for (std::size_t back = 0; back < steps; ++back) {
    const auto& point = history.point(back);
    const Nanoseconds time = later.at - point.at;
    if (time < kLeastStep) continue;
    most = std::max(most, slope(point.demand, later.demand, time));
    later = point;
  }
  return most;
}

std::optional<Nanoseconds> time_to_limit(const Reading& now, double bytes_per_s) {
  if (!now.limit || !(bytes_per_s > 0)) return std::nullopt;
  const std::uint64_t used = demand(now);
  if (used >= *now.limit) return Nanoseconds::zero();
  return from_seconds(static_cast<double>(*now.limit - used) / bytes_per_s);
}

}  // namespace oomdrill::probe
