#include "alarm/findings.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "alarm/suggest.h"
#include "base/units.h"

namespace oomdrill::alarm {
namespace {

Instant floor_second(WallTime at) { return std::chrono::floor<seconds>(at); }

std::string unit_of(const MetricAlarm& alarm) {
  return alarm.metric.find("Utilization") != std::string::npos || alarm.metric.ends_with("_percent")
             ? " %"
             : "";
}

bool in_bytes(const MetricAlarm& alarm) {
  return alarm.metric.ends_with("Bytes") || alarm.metric.ends_with("_bytes");
}

/// A value that was seen: "79.9 %", "297.0 MiB".
std::string seen(const MetricAlarm& alarm, double value) {
  if (in_bytes(alarm)) return format_bytes(static_cast<std::uint64_t>(std::max(0.0, value)));
  return fmt::format("{:.1f}{}", value, unit_of(alarm));
}

std::string level(const MetricAlarm& alarm) {
  if (in_bytes(alarm)) return seen(alarm, alarm.threshold);
  return fmt::format("{:.10g}{}", alarm.threshold, unit_of(alarm));
}

/// "2 aligned periods of 60 s".
std::string periods(const MetricAlarm& alarm) {
  const auto m = alarm.datapoints_to_alarm;
  return m == 1 ? fmt::format("an aligned period of {} s", alarm.period.count())
                : fmt::format("{} aligned periods of {} s", m, alarm.period.count());
}

bool rises(const MetricAlarm& alarm) {
  return alarm.comparison == Comparison::greater ||
         alarm.comparison == Comparison::greater_or_equal;
}

/// What the alarm's statistic makes of one set of samples.
std::optional<double> value_of(const MetricAlarm& alarm, const Sum& sum) {
  switch (alarm.statistic.kind) {
    case Statistic::Kind::average:
    case Statistic::Kind::percentile:
      return sum.sum / static_cast<double>(sum.count);
    case Statistic::Kind::maximum:
      return sum.most;
    case Statistic::Kind::minimum:
      return sum.least;
    case Statistic::Kind::sum:
      return sum.sum;
    case Statistic::Kind::sample_count:
      return std::nullopt;
  }
  return std::nullopt;
}

bool counts_kills(const MetricAlarm& alarm) {
  return alarm.metric == "oom_killed" || alarm.metric == "WorkerOomKills";
}

struct Course {
  std::optional<Instant> passed = {};  ///< since when it breaches without a break until the kill
  std::optional<double> extreme = {};  ///< the value nearest to a breach, or beyond
  bool ever = false;
};

Course course_of(const MetricAlarm& alarm, const Series& series, const Incident& incident) {
  Course course;
  for (const auto& set : series.sets()) {
    const Instant at{seconds(set.at)};
    if (incident.kill && at > *incident.kill) break;
    const auto value = value_of(alarm, set.sum);
    if (!value) continue;
    if (!course.extreme || (rises(alarm) ? *value > *course.extreme : *value < *course.extreme)) {
      course.extreme = value;
    }
    if (!alarm.breaches(*value)) {
      // A sample between the kill and its event: what is gone does not count as come back.
      if (course.passed && incident.kill && at >= floor_second(*incident.kill) - seconds(2)) break;
      course.passed.reset();
    } else {
      course.ever = true;
      if (!course.passed) course.passed = at;
    }
  }
  return course;
}

std::string late(const Question& question) {
  return question.delay.count() == 0
             ? std::string()
             : fmt::format(", and their points come {} s late", question.delay.count());
}

/// Why it fired when it did, or not.
std::string explain(const MetricAlarm& alarm, const Series& series, const Incident& incident,
                    const Question& question, const Finding& finding) {
  if (counts_kills(alarm) && incident.kill) {
    return fmt::format(
        "{} counts kills: its point is there {} s after the end of the period that "
        "holds one",
        alarm.metric, question.delay.count());
  }
  const Course course = course_of(alarm, series, incident);
  const std::string passing = rises(alarm)
                                  ? fmt::format("{} passed {}", alarm.metric, level(alarm))
                                  : fmt::format("{} fell below {}", alarm.metric, level(alarm));
  if (!course.ever) {
    if (finding.fired != Fired::never) {
      if (alarm.missing == Missing::breaching) {
        return fmt::format("its points ended, and missing ones count as breaching");
      }
      return fmt::format("{} only after the kill", passing);
    }
    if (!course.extreme)
      return fmt::format("{} of {} never breached", name(alarm.statistic), alarm.metric);
    return fmt::format("{} never {} {}: it was {} at the {}", alarm.metric,
                       rises(alarm) ? "passed" : "fell below", level(alarm),
                       seen(alarm, *course.extreme), rises(alarm) ? "highest" : "lowest");
  }
  if (!incident.kill) {
    if (finding.fired == Fired::never) {
      return fmt::format("{}, but not for {}", passing, periods(alarm));
    }
    return fmt::format("{} for {}; nothing was killed", passing, periods(alarm));
  }
  const double needed =
      static_cast<double>(alarm.datapoints_to_alarm) * static_cast<double>(alarm.period.count());
  if (!course.passed) {
    return fmt::format("{} and came back before the kill", passing);
  }
  const double lead = std::max(0.0, to_seconds(*incident.kill - *course.passed));
  const std::string when = fmt::format("{} {:.0f} s before the kill", passing, lead);
  if (finding.fired == Fired::before) {
    return fmt::format("{}, time enough for {}", when, periods(alarm));
  }
  if (lead < needed) {
    return fmt::format("{}; {} need{} at least {:.0f} s{}", when, periods(alarm),
                       alarm.datapoints_to_alarm == 1 ? "s" : "", needed, late(question));
  }
  if (lead < needed + static_cast<double>(question.delay.count())) {
    return fmt::format("{}; {} and {} s of delivery need at least {:.0f} s", when, periods(alarm),
                       question.delay.count(),
                       needed + static_cast<double>(question.delay.count()));
  }
  return fmt::format(
      "{}; {} of {} can begin up to {} s after that{}", when, name(alarm.statistic), periods(alarm),
      (alarm.statistic.kind == Statistic::Kind::maximum ? 0 : 1) * alarm.period.count(),
      late(question));
}

/// When it fired, by the rule of Finding.
void judge(Finding& finding, const Incident& incident) {
  const Transition* before = nullptr;
  const Transition* after = nullptr;
  const Transition* last_before = nullptr;  // whatever it changed to
  for (const Transition& each : finding.transitions) {
    const bool in_time = incident.kill && each.at <= *incident.kill;
    if (in_time) last_before = &each;
    if (each.to != State::alarm) continue;
    if (in_time) {
      before = &each;
    } else if (after == nullptr) {
      after = &each;
    }
  }
  const Transition* fired = before != nullptr ? before : after;
  if (fired == nullptr) return;
  finding.cleared = before != nullptr && last_before != before;
  finding.fired = before != nullptr ? Fired::before : Fired::after;
  finding.fired_after_s = incident.after_s(fired->at);
  if (incident.kill) {
    finding.lead_s = to_seconds(*incident.kill - fired->at);
  } else {
    // It fired, and there was nothing to be late for.
    finding.fired = Fired::before;
  }
}

Finding examine_metric(const MetricAlarm& alarm, const SeriesSet& set, const Incident& incident,
                       const Question& question) {
  Finding finding;
  finding.name = alarm.name;
  const Series* series = set.find(alarm.metric_namespace, alarm.metric);
  static const Series kNone;
  if (series == nullptr) series = &kNone;
  Timing timing = timing_of(alarm, *series, incident, question);
  finding.transitions = evaluate(alarm, *series, timing);
  judge(finding, incident);
  if (const std::string why = set.why_empty(alarm.metric_namespace, alarm.metric); !why.empty()) {
    finding.why = fmt::format(
        "no data for {}: {}; missing points are treated as {}, so it {}", alarm.metric, why,
        name(alarm.missing),
        finding.fired == Fired::never
            ? fmt::format("stays {}", finding.transitions.empty() ? "INSUFFICIENT_DATA" : "OK")
            : "is in ALARM all the time");
    if (finding.fired != Fired::never) {
      // An alarm that is always on tells nobody of this kill.
      finding.fired = Fired::never;
      finding.fired_after_s.reset();
      finding.lead_s.reset();
      finding.cleared = false;
    }
    return finding;
  }
  finding.why = explain(alarm, *series, incident, question, finding);
  if (incident.kill) {
    finding.alignments = alignments_of(alarm, *series, incident, question);
    const seconds wanted = question.lead.value_or(kUsefulLead);
    const auto& worst = finding.alignments->worst_lead_s;
    if (can_lead(alarm) && (!worst || *worst < static_cast<double>(wanted.count()))) {
      finding.sought_lead = wanted;
      finding.suggestion = suggest(alarm, set, incident, question, wanted);
    }
  }
  return finding;
}

}  // namespace

std::string_view name(Fired fired) {
  switch (fired) {
    case Fired::before:
      return "before";
    case Fired::after:
      return "after";
    case Fired::never:
      return "never";
    case Fired::unknown:
      return "unknown";
  }
  return "unknown";
}

Findings examine(const AlarmSet& set, const SeriesSet& series, const Incident& incident,
                 const Question& question) {
  Findings findings;
  for (const MetricAlarm& alarm : set.metric) {
    MetricAlarm fitted = alarm;
    if (set.made_for_bytes > 0 && incident.limit_bytes && alarm.metric.ends_with("Bytes")) {
      fitted.threshold = std::floor(fitted.threshold * static_cast<double>(*incident.limit_bytes) /
                                    static_cast<double>(set.made_for_bytes));
    }
    findings.alarms.push_back(examine_metric(fitted, series, incident, question));
  }
  // Composites of composites: each once all that it names is there; what is left names itself.
  std::vector<const CompositeAlarm*> open;
  for (const CompositeAlarm& each : set.composite) open.push_back(&each);
  const auto is_open = [&](const std::string& wanted) {
    return std::any_of(open.begin(), open.end(),
                       [&](const CompositeAlarm* each) { return each->name == wanted; });
  };
  for (bool progress = true; progress && !open.empty();) {
    progress = false;
    for (auto it = open.begin(); it != open.end();) {
      const auto named = (*it)->rule.alarms();
      if (std::any_of(named.begin(), named.end(), is_open)) {
        ++it;
        continue;
      }
      std::vector<std::pair<std::string, const std::vector<Transition>*>> history;
      std::vector<std::string> unknown;
      std::string firing;
      for (const std::string& each : named) {
        const auto found =
            std::find_if(findings.alarms.begin(), findings.alarms.end(),
                         [&](const Finding& finding) { return finding.name == each; });
        if (found == findings.alarms.end()) {
          unknown.push_back(each);
          continue;
        }
        history.emplace_back(each, &found->transitions);
        if (found->fired == Fired::before || found->fired == Fired::after) {
          firing += (firing.empty() ? "" : ", ") + each;
        }
      }
      Finding finding;
      finding.name = (*it)->name;
      finding.transitions = evaluate(**it, history, floor_second(incident.begin));
      judge(finding, incident);
      finding.why = firing.empty() ? "none of the alarms that its rule names fired"
                                   : "of the alarms that its rule names, these fired: " + firing;
      if (!firing.empty() && finding.fired == Fired::never) {
        finding.why += "; never so that the rule was true";
      }
      if (!unknown.empty()) {
        finding.why +=
            fmt::format("; {} is not in the set, and taken for INSUFFICIENT_DATA", unknown.front());
      }
      findings.alarms.push_back(std::move(finding));
      it = open.erase(it);
      progress = true;
    }
  }
  for (const CompositeAlarm* each : open) {
    Finding finding;
    finding.name = each->name;
    finding.fired = Fired::unknown;
    finding.why = "not evaluated: its rule names itself, by way of others or directly";
    findings.alarms.push_back(std::move(finding));
  }
  for (const OtherAlarm& each : set.other) {
    Finding finding;
    finding.name = each.name;
    finding.fired = Fired::unknown;
    finding.why = "not evaluated: " + each.why;
    findings.alarms.push_back(std::move(finding));
  }

  for (const Finding& each : findings.alarms) {
    auto lead = each.fired == Fired::before ? each.lead_s : std::nullopt;
    if (question.any_alignment) {
      // A composite has no points of its own to align: those that its rule names speak for it.
      lead = each.alignments ? each.alignments->worst_lead_s : std::nullopt;
    }
    if (lead && *lead >= 0 && (!findings.lead_s || *lead > *findings.lead_s)) {
      findings.lead_s = lead;
      findings.lead_by = each.name;
    }
  }
  if (question.lead) {
    findings.met =
        findings.lead_s && *findings.lead_s >= static_cast<double>(question.lead->count());
  }
  return findings;
}

}  // namespace oomdrill::alarm
