#pragma once

#include <optional>
#include <string>
#include <vector>

#include "recording/runs.h"
#include "report/document.h"

namespace oomdrill::report {

/// What an alarm did in the incident, as whoever evaluates alarms says it. Seconds count from the
/// incident's origin, on the alarms' scale.
struct AlarmResult {
  struct Transition {
    double after_s;
    std::string from;
    std::string to;
  };
  std::string name;
  std::string fired;  ///< "before", "after", "never"
  std::optional<double> fired_after_s = {};
  std::optional<double> lead_s = {};
  std::string why;
  std::string suggestion;  ///< empty: none
  std::vector<Transition> transitions = {};
};

struct Scaling {
  double after_s;
  std::string what;
};

struct Extras {
  /// Absent: no alarms were given.
  std::optional<std::vector<AlarmResult>> alarms = {};
  std::optional<std::vector<Scaling>> scaling = {};
  std::string alarm_source = {};  ///< as --alarms takes it
  /// A second of the recording counts as so many for alarms.
  double stretch = 1;
};

/// The run that a report is about: the first that an OOM kill hit, or else the fullest.
const recording::Run& incident_of(const recording::Runs& runs);

/// The post-incident review. `runs` has at least one.
Document compose(const recording::Runs& runs, const Extras& extras);

}  // namespace oomdrill::report
