#include "detect/detectors.h"

namespace oomdrill::probe {

std::optional<Finding> detect_threshold(const Reading& now, const History& history,
                                        const Policy& policy) {
  if (!now.has_sample) return std::nullopt;
  const auto percent = percent_of_limit(now, demand(now));
  if (!percent) return std::nullopt;
  const std::size_t crossed = history.crossed;
  if (crossed < policy.thresholds.size() && *percent >= policy.thresholds[crossed]) {
    return ThresholdCrossed{policy.thresholds[crossed], true, crossed + 1};
  }
  if (crossed > 0 && *percent < policy.thresholds[crossed - 1] - policy.hysteresis) {
    return ThresholdCrossed{policy.thresholds[crossed - 1], false, crossed - 1};
  }
  return std::nullopt;
}

}  // namespace oomdrill::probe
