#include <algorithm>

#include "detect/detectors.h"
#include "detect/growth.h"

namespace oomdrill::probe {

std::optional<Finding> detect_last_words(const Reading& now, const History& history,
                                         const Policy& policy) {
  if (!now.has_sample || !now.limit) return std::nullopt;
  const bool above = !policy.thresholds.empty() && history.crossed == policy.thresholds.size();
  const auto left = time_to_limit(now, fastest_rise(now, history));
  if (!above && !(left && *left < 2 * policy.interval)) return std::nullopt;

  // A service may live at 96 % for years: a line only for what the last one did not tell, each
  // step at most half of the headroom that was left, so that the approach costs few lines.
  constexpr std::uint64_t kLeast = 64 << 10;
  const std::uint64_t used = demand(now);
  const std::uint64_t headroom = *now.limit > history.told ? *now.limit - history.told : 0;
  const std::uint64_t step = std::max(kLeast, std::min(*now.limit / 100, headroom / 2));
  if (used < history.told + step) return std::nullopt;
  return LastWords{used};
}

}  // namespace oomdrill::probe
