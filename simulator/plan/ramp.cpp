#include "ramp.h"

#include <algorithm>
#include <cmath>

namespace oomdrill::plan {
namespace {

constexpr Nanoseconds kInterval = std::chrono::milliseconds(10);
constexpr double kPage = 4096;
constexpr std::uint64_t kUnpacedStep = std::uint64_t{1} << 20;

}  // namespace

Ramp::Ramp(double bytes_per_second)
    : rate_(bytes_per_second),
      interval_(std::isinf(bytes_per_second) ? Nanoseconds(0)
                                             : std::max(kInterval, from_seconds(kPage / rate_))) {}

Nanoseconds Ramp::due(std::uint64_t k) const {
  const auto most = static_cast<std::uint64_t>(Nanoseconds::max().count());
  const auto interval = static_cast<std::uint64_t>(interval_.count());
  if (interval != 0 && k > most / interval) return Nanoseconds::max();
  return Nanoseconds(static_cast<std::int64_t>(k * interval));
}

std::uint64_t Ramp::bytes_by(std::uint64_t k) const {
  if (std::isinf(rate_)) return std::min(k, kMost / kUnpacedStep) * kUnpacedStep;
  const Nanoseconds time = due(k);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  // Whole seconds and the rest apart: both products stay below 2^53 for rates that occur, so the
  // line is exact after a year too.
  const double bytes = std::floor(rate_ * static_cast<double>(seconds.count()) +
                                  rate_ * static_cast<double>((time - seconds).count()) / 1e9);
  return bytes >= static_cast<double>(kMost) ? kMost : static_cast<std::uint64_t>(bytes);
}

}  // namespace oomdrill::plan
