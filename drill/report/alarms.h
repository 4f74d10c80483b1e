#pragma once

#include <vector>

#include "alarm/findings.h"
#include "report/content.h"

namespace oomdrill::report {

/// What the alarms did, as the review tells it.
std::vector<AlarmResult> alarm_results(const alarm::Findings& findings,
                                       const alarm::Incident& incident);

}  // namespace oomdrill::report
