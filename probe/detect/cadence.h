#pragma once

#include "detect/history.h"
#include "detect/policy.h"
#include "source/reading.h"

namespace oomdrill::probe {

/// How long until the next look: the interval when calm; at most 100 ms above the highest
/// threshold; at most a quarter of the time that the fastest rise seen would need to the limit;
/// never below the least interval.
Nanoseconds next_look(const Reading& now, const History& history, const Policy& policy);

}  // namespace oomdrill::probe
