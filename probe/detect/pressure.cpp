#include <algorithm>

#include "detect/detectors.h"

namespace oomdrill::probe {
namespace {

/// What a cause measures now; nullopt where it cannot be measured here.
using Level = std::optional<double> (*)(const Reading& now, const Reading& before);

double per_second(std::uint64_t rise, const Reading& now, const Reading& before) {
  // Looks that follow each other at once say nothing of a rate.
  const Nanoseconds time = std::max(now.at - before.at, Nanoseconds(std::chrono::milliseconds(10)));
  return static_cast<double>(rise) / to_seconds(time);
}

std::optional<double> rate(cgroup::Count now_count, cgroup::Count before_count, const Reading& now,
                           const Reading& before) {
  if (!before.has_sample || !now_count || !before_count) return std::nullopt;
  const auto rise = *now_count > *before_count ? *now_count - *before_count : 0;
  return per_second(rise, now, before);
}

std::optional<double> stalled(const Reading& now, const Reading&) {
  if (!now.sample.pressure) return std::nullopt;
  return now.sample.pressure->some.avg10;
}

std::optional<double> limit_hits(const Reading& now, const Reading& before) {
  return rate(now.sample.deciding().max, before.sample.deciding().max, now, before);
}

std::optional<double> throttled(const Reading& now, const Reading& before) {
  return rate(now.sample.deciding().high, before.sample.deciding().high, now, before);
}

/// Pages that were reclaimed and are needed again. Only near a limit is the limit the reason.
std::optional<double> refaults(const Reading& now, const Reading& before) {
  constexpr double kNear = 90;
  const auto used = percent_of_limit(now, now.sample.current);
  if (!used) return std::nullopt;
  const auto found = rate(now.sample.stat.workingset_refault_file,
                          before.sample.stat.workingset_refault_file, now, before);
  return found && *used < kNear ? std::optional(0.0) : found;
}

struct Cause {
  std::string_view name;
  Level level;
  double up;    ///< told from here on
  double down;  ///< over from here on
};

/// In the order of PressureCause.
constexpr std::array kCauses = {
    Cause{"stalled", stalled, 10, 5},        // percent of the last 10 s
    Cause{"limit_hits", limit_hits, 10, 0},  // a second
    Cause{"refaults", refaults, 500, 50},    // pages a second
    Cause{"throttled", throttled, 1, 0},     // a second
};
static_assert(kCauses.size() == History::kPressureCauses);

/// A rate of one look that falls to nothing may only pause.
constexpr Nanoseconds kQuiet = std::chrono::seconds(10);

}  // namespace

std::string_view pressure_cause_name(std::size_t cause) { return kCauses[cause].name; }

std::optional<Finding> detect_pressure(const Reading& now, const History& history, const Policy&) {
  if (!now.has_sample) return std::nullopt;
  for (std::size_t i = 0; i < kCauses.size(); ++i) {
    const Cause& cause = kCauses[i];
    const auto level = cause.level(now, history.last());
    if (!level) continue;
    const auto& told = history.pressure[i];
    if (!told && *level >= cause.up) return PressureChanged{i, true, *level};
    if (told && *level <= cause.down && now.at - *told >= kQuiet) {
      return PressureChanged{i, false, *level};
    }
  }
  return std::nullopt;
}

}  // namespace oomdrill::probe
