#include "report/alarms.h"

#include <fmt/core.h>

#include "alarm/report.h"
#include "run/summary.h"

namespace oomdrill::report {
namespace {

/// Of a time in whole seconds since the epoch, as alarms count it.
double after_s(const alarm::Incident& incident, alarm::Instant at) {
  return incident.after_s(WallTime(at));
}

}  // namespace

std::vector<AlarmResult> alarm_results(const alarm::Findings& findings,
                                       const alarm::Incident& incident) {
  std::vector<AlarmResult> results;
  results.reserve(findings.alarms.size());
  for (const alarm::Finding& finding : findings.alarms) {
    AlarmResult result;
    result.name = finding.name;
    result.fired = alarm::name(finding.fired);
    result.fired_after_s = finding.fired_after_s;
    result.lead_s = finding.lead_s;
    result.why = finding.why;
    if (finding.suggestion) {
      result.suggestion = fmt::format("{}: {} before the kill in the worst alignment",
                                      alarm::describe(finding.suggestion->alarm),
                                      run::format_seconds(finding.suggestion->lead_s));
    }
    for (const alarm::Transition& each : finding.transitions) {
      result.transitions.push_back({after_s(incident, each.at), std::string(alarm::name(each.from)),
                                    std::string(alarm::name(each.to))});
    }
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace oomdrill::report
