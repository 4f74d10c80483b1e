#include "detect/detectors.h"

namespace oomdrill::probe {

std::optional<Finding> detect_limit_change(const Reading& now, const History& history,
                                           const Policy&) {
  if (!now.has_sample || now.limit == history.limit) return std::nullopt;
  return LimitChanged{history.limit, now.limit};
}

}  // namespace oomdrill::probe
