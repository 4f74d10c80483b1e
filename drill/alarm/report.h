#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "alarm/findings.h"

namespace oomdrill::alarm {

/// The member `alarms` of the one JSON shape. Seconds count from the incident's origin.
nlohmann::ordered_json json_alarms(const Findings& findings, const Incident& incident);

/// For people: a paragraph an alarm, each line with its newline.
std::string text_alarms(const Findings& findings, const AlarmSet& set, const Incident& incident,
                        const Question& question);

/// The line that says that times are stretched; empty where they are not.
std::string text_scale(double stretch);

/// "Maximum of MemoryUtilization (oomdrill) > 70, 2 of 3 periods of 10 s".
std::string describe(const MetricAlarm& alarm);

}  // namespace oomdrill::alarm
