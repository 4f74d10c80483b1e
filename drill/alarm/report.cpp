#include "alarm/report.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "alarm/suggest.h"
#include "run/summary.h"

namespace oomdrill::alarm {
namespace {

using Json = nlohmann::ordered_json;
using run::format_seconds;
using run::printable;

constexpr std::size_t kShownTransitions = 6;

std::string_view sign(Comparison comparison) {
  switch (comparison) {
    case Comparison::greater:
      return ">";
    case Comparison::greater_or_equal:
      return ">=";
    case Comparison::less:
      return "<";
    case Comparison::less_or_equal:
      return "<=";
  }
  return "?";
}

double rounded(double value) { return std::round(value * 1000) / 1000; }

Json number_or_null(const std::optional<double>& value) {
  return value ? Json(rounded(*value)) : Json(nullptr);
}

Json json_suggestion(const std::optional<Suggestion>& suggestion) {
  if (!suggestion) return nullptr;
  const MetricAlarm& alarm = suggestion->alarm;
  return {{"namespace", alarm.metric_namespace},
          {"metric", alarm.metric},
          {"statistic", name(alarm.statistic)},
          {"period_s", alarm.period.count()},
          {"evaluation_periods", alarm.evaluation_periods},
          {"datapoints_to_alarm", alarm.datapoints_to_alarm},
          {"comparison", std::string(name(alarm.comparison))},
          {"threshold", alarm.threshold},
          {"treat_missing_data", std::string(name(alarm.missing))},
          {"lead_s", rounded(suggestion->lead_s)}};
}

/// "12.00 s before".
std::string lead_text(double lead_s) {
  return fmt::format("{} {}", format_seconds(std::abs(lead_s)), lead_s < 0 ? "after" : "before");
}

std::string fired_text(const Finding& finding, const Incident& incident) {
  switch (finding.fired) {
    case Fired::unknown:
      return "not evaluated";
    case Fired::never:
      return finding.alignments && finding.alignments->best_lead_s
                 ? "did not fire; in another alignment it would have"
                 : "never fires";
    case Fired::before:
    case Fired::after:
      if (!incident.kill) return "fires after " + format_seconds(*finding.fired_after_s);
      return fmt::format("fires {} the kill{}", lead_text(*finding.lead_s),
                         finding.cleared ? ", and is over when that comes" : "");
  }
  return "";
}

std::string alignment_text(const Alignments& alignments) {
  std::string text = fmt::format("before the kill in {} of {} alignments of the same incident",
                                 alignments.before, alignments.tried);
  if (!alignments.best_lead_s) return text + ": it fires in none";
  return text +
         fmt::format(": at best {}, at worst {}", lead_text(*alignments.best_lead_s),
                     alignments.worst_lead_s ? lead_text(*alignments.worst_lead_s) : "never");
}

}  // namespace

std::string describe(const MetricAlarm& alarm) {
  return fmt::format("{} of {} ({}) {} {:.10g}, {} of {} periods of {} s", name(alarm.statistic),
                     printable(alarm.metric), printable(alarm.metric_namespace),
                     sign(alarm.comparison), alarm.threshold, alarm.datapoints_to_alarm,
                     alarm.evaluation_periods, alarm.period.count());
}

std::string text_scale(double stretch) {
  if (stretch == 1) return "";
  return fmt::format("{:<12} a second of the drill counts as {:g} for alarms\n", "scale", stretch);
}

Json json_alarms(const Findings& findings, const Incident& incident) {
  Json alarms = Json::array();
  for (const Finding& finding : findings.alarms) {
    Json json = {{"name", finding.name},
                 {"fired", std::string(name(finding.fired))},
                 {"fired_after_s", number_or_null(finding.fired_after_s)},
                 {"lead_s", number_or_null(finding.lead_s)},
                 {"cleared", finding.cleared},
                 {"why", finding.why}};
    Json transitions = Json::array();
    for (const Transition& each : finding.transitions) {
      Json transition = {{"after_s", rounded(incident.after_s(each.at))},
                         {"from", std::string(name(each.from))},
                         {"to", std::string(name(each.to))}};
      if (!each.range.empty()) {
        transition["points"] = Json::array();
        for (const auto& point : each.range) transition["points"].push_back(number_or_null(point));
      }
      transitions.push_back(std::move(transition));
    }
    json["transitions"] = std::move(transitions);
    if (const auto& alignments = finding.alignments) {
      json["alignments"] = {{"tried", alignments->tried},
                            {"before", alignments->before},
                            {"best_lead_s", number_or_null(alignments->best_lead_s)},
                            {"worst_lead_s", number_or_null(alignments->worst_lead_s)}};
    }
    json["suggestion"] = json_suggestion(finding.suggestion);
    alarms.push_back(std::move(json));
  }
  return alarms;
}

std::string text_alarms(const Findings& findings, const AlarmSet& set, const Incident& incident,
                        const Question& question) {
  std::string text =
      fmt::format("{:<12} {} of {}; points are there {} s after their period\n", "alarms",
                  findings.alarms.size(), printable(set.source), question.delay.count());
  const auto line = [&](const std::string& words) {
    text += fmt::format("{:<12} {}\n", "", words);
  };
  for (const Finding& finding : findings.alarms) {
    text += fmt::format("  {}: {}\n", printable(finding.name), fired_text(finding, incident));
    line(printable(finding.why));
    if (finding.alignments) line(alignment_text(*finding.alignments));
    if (!finding.transitions.empty()) {
      std::string states = "INSUFFICIENT_DATA";
      const std::size_t shown = std::min(finding.transitions.size(), kShownTransitions);
      for (std::size_t i = 0; i < shown; ++i) {
        const Transition& each = finding.transitions[i];
        states +=
            fmt::format(" → {} at {}", name(each.to), format_seconds(incident.after_s(each.at)));
      }
      if (shown < finding.transitions.size()) {
        states += fmt::format(" and {} more", finding.transitions.size() - shown);
      }
      line(states);
    }
    if (finding.suggestion) {
      line(fmt::format("instead: {}: {} before the kill in the worst alignment",
                       describe(finding.suggestion->alarm),
                       format_seconds(finding.suggestion->lead_s)));
    } else if (finding.sought_lead) {
      line(fmt::format("instead: no threshold of {:g} % or above gives {} in every alignment",
                       kLowestPercent, format_duration(*finding.sought_lead)));
    }
  }
  std::string lead;
  if (!incident.kill) {
    lead = "nothing was killed: no lead can be shown";
  } else if (findings.lead_s) {
    lead = fmt::format("{} before the kill{}: {}", format_seconds(*findings.lead_s),
                       question.any_alignment ? ", in the worst alignment" : "",
                       printable(findings.lead_by));
  } else {
    lead = "no alarm fires before the kill";
  }
  if (question.lead) {
    lead += fmt::format("; {} required: {}", format_duration(*question.lead),
                        findings.met.value_or(false) ? "yes" : "no");
  }
  text += fmt::format("{:<12} {}\n", "lead", lead);
  return text;
}

}  // namespace oomdrill::alarm
