#include "detect/cadence.h"

#include <algorithm>

#include "detect/growth.h"

namespace oomdrill::probe {

bool is_calm(const Reading& now, const History& history, const Policy& policy) {
  if (!now.has_sample || history.crossed > 0) return false;
  if (!now.limit) return true;
  constexpr std::uint64_t kPart = 100;
  const std::uint64_t used = demand(now);
  const std::uint64_t moved = used > history.told ? used - history.told : history.told - used;
  if (moved > *now.limit / kPart) return false;
  const auto left = time_to_limit(now, fastest_rise(now, history));
  return !left || *left / 4 > policy.max_interval;
}

Nanoseconds sample_period(const History& history, const Policy& policy) {
  constexpr int kMostDoublings = 20;
  if (policy.max_interval <= policy.interval) return policy.interval;
  Nanoseconds period = policy.interval;
  for (int i = 0; i < std::min(history.calm, kMostDoublings) && period < policy.max_interval; ++i) {
    period *= 2;
  }
  return std::min(period, policy.max_interval);
}

Nanoseconds next_look(const Reading& now, const History& history, const Policy& policy) {
  constexpr Nanoseconds kNear = std::chrono::milliseconds(100);
  Nanoseconds next = sample_period(history, policy);
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
