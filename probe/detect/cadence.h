#pragma once

#include "detect/history.h"
#include "detect/policy.h"
#include "source/reading.h"

namespace oomdrill::probe {

/// Nothing is near and little moves: the next look may wait.
bool is_calm(const Reading& now, const History& history, const Policy& policy);

/// How long until the next sample: the interval, doubled with each calm look up to the greatest
/// interval.
Nanoseconds sample_period(const History& history, const Policy& policy);

/// How long until the next look: the sample period when calm; at most 100 ms above the highest
/// threshold; at most a quarter of the time that the fastest rise seen would need to the limit;
/// never below the least interval.
Nanoseconds next_look(const Reading& now, const History& history, const Policy& policy);

}  // namespace oomdrill::probe
