#pragma once

#include <optional>

#include "detect/history.h"
#include "source/reading.h"

namespace oomdrill::probe {

/// How demand changes, in bytes a second, from the oldest look of the last 5 s (or the one before,
/// where that is older) to `now`. nullopt: no look to compare with.
std::optional<double> growth(const Reading& now, const History& history);

/// The steepest rise between two of the last looks, in bytes a second; 0 where nothing rose.
double fastest_rise(const Reading& now, const History& history);

/// When demand reaches the limit at `bytes_per_s`; nullopt where it does not grow, or there is no
/// limit.
std::optional<Nanoseconds> time_to_limit(const Reading& now, double bytes_per_s);

}  // namespace oomdrill::probe
