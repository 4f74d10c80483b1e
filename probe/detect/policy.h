#pragma once

#include <cstdint>
#include <vector>

#include "base/units.h"

namespace oomdrill::probe {

/// What the user asked to be told, and how often to look.
struct Policy {
  Nanoseconds interval = std::chrono::seconds(1);
  Nanoseconds min_interval = std::chrono::milliseconds(50);
  /// Looks and samples come as rarely as this where nothing happens; `interval`: never more rarely.
  Nanoseconds max_interval = std::chrono::seconds(1);
  std::vector<double> thresholds = {75, 85, 95};  ///< percent of the limit, ascending
  /// Lines a minute, kills and what belongs to a life's beginning and end apart; 0: no ceiling.
  std::uint64_t max_events_per_minute = 0;
  double hysteresis = 5;  ///< points that demand must fall below a threshold to re-arm it
};

}  // namespace oomdrill::probe
