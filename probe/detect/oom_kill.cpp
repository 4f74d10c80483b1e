#include "detect/detectors.h"

namespace oomdrill::probe {

std::optional<Finding> detect_oom_kill(const Reading& now, const History& history, const Policy&) {
  OomKilled found;
  found.own_before = history.own;
  found.hierarchical_before = history.hierarchical;
  found.own_after = now.sample.own;
  found.hierarchical_after = now.sample.hierarchical;
  const auto before = found.before().oom_kill;
  const auto after = found.after().oom_kill;
  if (!before || !after || *after <= *before) return std::nullopt;
  found.kills = *after - *before;
  return found;
}

}  // namespace oomdrill::probe
