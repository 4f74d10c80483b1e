#pragma once

#include <vector>

#include "base/units.h"

namespace oomdrill::probe {

/// What the user asked to be told, and how often to look.
struct Policy {
  Nanoseconds interval = std::chrono::seconds(1);
  Nanoseconds min_interval = std::chrono::milliseconds(50);
  std::vector<double> thresholds = {75, 85, 95};  ///< percent of the limit, ascending
  double hysteresis = 5;  ///< points that demand must fall below a threshold to re-arm it
};

}  // namespace oomdrill::probe
