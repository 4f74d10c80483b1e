#include "detect/cadence.h"

#include <algorithm>

#include "detect/growth.h"

namespace oomdrill::probe {

Nanoseconds next_look(const Reading& now, const History& history, const Policy& policy) {
  constexpr Nanoseconds kNear = std::chrono::milliseconds(100);
  Nanoseconds next = policy.interval;
  if (!now.has_sample || !now.limit) return next;
  if (!policy.thresholds.empty() && history.crossed == policy.thresholds.size()) {
    next = std::min(next, kNear);
  }
  if (const auto left = time_to_limit(now, fastest_rise(now, history))) {
    next = std::min(next, *left / 4);
  }
  return std::max(next, std::min(policy.min_interval, policy.interval));
}

}  // namespace oomdrill::probe
