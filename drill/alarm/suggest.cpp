#include "alarm/suggest.h"

#include <algorithm>
#include <cmath>

namespace oomdrill::alarm {
namespace {

/// Alignments that are tried; more do not change what they say by more than 5 s of a minute.
constexpr std::int64_t kPhases = 12;
/// What is before is of no interest to a lead.
constexpr auto kLookBack = std::chrono::hours(24);
/// Change no more than needed, as long as the threshold stays as high as this.
constexpr double kComfortablePercent = 70;

Instant floor_second(WallTime at) { return std::chrono::floor<seconds>(at); }

Instant look_from(const Incident& incident) {
  return std::max(floor_second(incident.begin), floor_second(*incident.kill - kLookBack));
}

/// Alignments of an alarm's periods: the phases, in whole sets of the series.
std::vector<seconds> phases_of(seconds period, const Series& series) {
  const std::int64_t whole = std::max<std::int64_t>(60, period.count());
  const std::int64_t step =
      std::max(whole / kPhases / series.step().count(), std::int64_t{1}) * series.step().count();
  std::vector<seconds> phases;
  for (std::int64_t at = 0; at < whole; at += step) phases.emplace_back(at);
  return phases;
}

std::optional<double> lead_of(const std::vector<Transition>& transitions, WallTime kill) {
  std::optional<double> lead;
  for (const Transition& each : transitions) {
    if (each.to != State::alarm) continue;
    const double found = to_seconds(kill - each.at);
    // The last before the kill, or else the first after it.
    if (found >= 0 || !lead) lead = found;
  }
  return lead;
}

/// An alarm's points in every alignment: thresholds are tried over them.
class Trial {
 public:
  Trial(MetricAlarm alarm, const Series& series, const Incident& incident, const Question& question)
      : alarm_(std::move(alarm)), incident_(incident) {
    const Instant from = look_from(incident);
    timing_ = timing_of(alarm_, series, incident, question);
    timing_.begin = std::max(timing_.begin, from);
    for (const seconds phase : phases_of(alarm_.period, series)) {
      points_.push_back(points_of(series, alarm_.statistic, alarm_.period, phase, from));
    }
  }

  [[nodiscard]] Alignments run(double threshold) {
    alarm_.threshold = threshold;
    Alignments result;
    bool silent = false;
    for (const Points& points : points_) {
      Timing timing = timing_;
      timing.phase = points.phase;
      const auto lead = lead_of(evaluate(alarm_, points, timing), *incident_.kill);
      ++result.tried;
      if (!lead) {
        silent = true;
        continue;
      }
      if (*lead >= 0) ++result.before;
      result.best_lead_s = std::max(result.best_lead_s.value_or(*lead), *lead);
      result.worst_lead_s = std::min(result.worst_lead_s.value_or(*lead), *lead);
    }
    if (silent) result.worst_lead_s.reset();
    return result;
  }

  [[nodiscard]] const MetricAlarm& alarm() const { return alarm_; }

 private:
  MetricAlarm alarm_;
  const Incident& incident_;
  Timing timing_;
  std::vector<Points> points_;
};

struct Candidate {
  MetricAlarm alarm;
  double highest_percent;
  double unit;  ///< of a threshold of one percent
};

}  // namespace

Timing timing_of(const MetricAlarm& alarm, const Series& series, const Incident& incident,
                 const Question& question) {
  Timing timing{floor_second(incident.begin), floor_second(incident.end), question.delay,
                seconds(0)};
  const seconds length = std::max(alarm.period, series.resolution());
  if (!series.empty()) {
    // An alarm begins with its first point: before, a treatment of missing points would speak.
    const std::int64_t start = series.first().time_since_epoch().count();
    const std::int64_t whole = (start / length.count() + 1) * length.count();
    timing.begin = std::max(timing.begin, Instant(seconds(whole)) + question.delay);
    timing.end = std::max(timing.end, series.last());
  }
  timing.end += (alarm.evaluation_periods + kExtraPoints + 2) * length + question.delay;
  return timing;
}

Alignments alignments_of(const MetricAlarm& alarm, const Series& series, const Incident& incident,
                         const Question& question) {
  return Trial(alarm, series, incident, question).run(alarm.threshold);
}

void want_candidates(SeriesSet& series) {
  series.want("AWS/ECS", "MemoryUtilization", {});
  series.want(series.probe_namespace(), "MemoryUtilization", {});
  series.want(series.probe_namespace(), "SharedMemoryBytes", {});
}

bool can_lead(const MetricAlarm& alarm) {
  return alarm.metric == "MemoryUtilization" && (alarm.comparison == Comparison::greater ||
                                                 alarm.comparison == Comparison::greater_or_equal);
}

std::optional<Suggestion> suggest(const MetricAlarm& alarm, const SeriesSet& set,
                                  const Incident& incident, const Question& question,
                                  seconds lead) {
  const bool rises =
      alarm.comparison == Comparison::greater || alarm.comparison == Comparison::greater_or_equal;
  if (!incident.kill || !rises || alarm.metric != "MemoryUtilization") return std::nullopt;

  std::vector<Candidate> candidates;
  const double highest = std::min(alarm.threshold, 95.0);
  candidates.push_back({alarm, highest, 1});
  MetricAlarm next = alarm;
  next.evaluation_periods = next.datapoints_to_alarm = 1;
  next.period = std::min(next.period, seconds(60));
  candidates.push_back({next, highest, 1});
  next.statistic.kind = Statistic::Kind::maximum;
  candidates.push_back({next, 95, 1});
  next.metric_namespace = set.probe_namespace();
  next.missing = Missing::not_breaching;
  next.period = seconds(10);
  next.evaluation_periods = 3;
  next.datapoints_to_alarm = 2;
  candidates.push_back({next, 95, 1});
  if (incident.limit_bytes) {
    next.metric = "SharedMemoryBytes";
    next.period = seconds(60);
    next.evaluation_periods = next.datapoints_to_alarm = 1;
    candidates.push_back({next, 95, static_cast<double>(*incident.limit_bytes) / 100});
  }

  std::optional<Suggestion> best;
  double best_percent = 0;
  for (const Candidate& each : candidates) {
    const Series* series = set.find(each.alarm.metric_namespace, each.alarm.metric);
    if (series == nullptr || series->empty()) continue;
    // What is above from the start says nothing about a leak.
    const double floor = series->sets().front().sum.most / each.unit;
    Trial trial(each.alarm, *series, incident, question);
    for (double percent = std::floor(each.highest_percent);
         percent >= kLowestPercent && percent > floor && percent > best_percent; percent -= 1) {
      const auto tried = trial.run(std::floor(percent * each.unit));
      if (!tried.worst_lead_s || *tried.worst_lead_s < static_cast<double>(lead.count())) continue;
      best = Suggestion{trial.alarm(), *tried.worst_lead_s};
      best_percent = percent;
      break;
    }
    if (best_percent >= kComfortablePercent) break;
  }
  return best;
}

}  // namespace oomdrill::alarm
