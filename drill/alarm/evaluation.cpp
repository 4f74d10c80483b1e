#include "alarm/evaluation.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace oomdrill::alarm {
namespace {

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  const std::int64_t quotient = a / b;
  return a % b < 0 ? quotient - 1 : quotient;
}

/// Below it CloudWatch calls a percentile's sample too small.
double samples_needed(double percentile) {
  const double tail = percentile >= 50 ? 1 - percentile / 100 : percentile / 100;
  return 10 / tail;
}

}  // namespace

std::optional<State> decide(std::span<const Judged> range, std::uint32_t evaluation_periods,
                            std::uint32_t datapoints_to_alarm, Missing missing) {
  std::uint32_t existing = 0;
  std::uint32_t breaching = 0;
  std::size_t oldest_breaching = 0;  // its age in points; the newest is 1
  for (std::size_t i = 0; i < range.size(); ++i) {
    const Judged& point = range[range.size() - 1 - i];
    if (!point) continue;
    // With enough of them, the newest N alone decide, and what is missing does not matter.
    if (existing == evaluation_periods) break;
    ++existing;
    if (*point) {
      ++breaching;
      oldest_breaching = i + 1;
    }
  }
  if (breaching >= datapoints_to_alarm) return State::alarm;
  if (existing >= evaluation_periods) return State::ok;

  const std::uint32_t filled = evaluation_periods - existing;
  switch (missing) {
    case Missing::breaching:
      return breaching + filled >= datapoints_to_alarm ? State::alarm : State::ok;
    case Missing::not_breaching:
      return State::ok;
    case Missing::ignore:
    case Missing::missing:
      break;
  }
  // A point within the threshold decides, even among missing ones: `0 - X - -` is OK in 2 of 3.
  if (existing > breaching) return State::ok;
  if (missing == Missing::ignore) return std::nullopt;
  // All that there is breaches: an alarm only once the oldest of them is old enough.
  return oldest_breaching >= datapoints_to_alarm ? State::alarm : State::insufficient_data;
}

Points points_of(const Series& series, const Statistic& statistic, seconds period, seconds phase,
                 Instant from, Instant to) {
  Points result;
  result.period = period;
  result.phase = phase;
  const std::int64_t length = period.count();
  const std::int64_t shift = phase.count();
  // A point of a metric of a minute's resolution stands at the minute's start, and holds all of it.
  const std::int64_t span = std::max(length, series.resolution().count());
  result.lag = seconds(span - length);
  const auto& sets = series.sets();
  const auto before = [](const Series::Set& each, std::int64_t at) { return each.at < at; };
  const auto first =
      std::lower_bound(sets.begin(), sets.end(), from.time_since_epoch().count(), before);
  const auto past = std::lower_bound(first, sets.end(), to.time_since_epoch().count(), before);
  const auto last = static_cast<std::size_t>(past - sets.begin());
  for (auto i = static_cast<std::size_t>(first - sets.begin()); i < last;) {
    const std::int64_t start = floor_div(sets[i].at + shift, span) * span;
    const std::int64_t end = start + span - shift;
    const Instant begin(seconds(start - shift));
    if (const auto value = series.value(statistic, begin, seconds(span))) {
      std::uint64_t samples = 0;
      for (std::size_t k = i; k < last && sets[k].at < end; ++k) {
        samples += sets[k].sum.count;
      }
      result.points.push_back({start / length, *value, samples});
    }
    while (i < last && sets[i].at < end) ++i;
  }
  return result;
}

std::vector<Transition> evaluate(const MetricAlarm& alarm, const Points& points,
                                 const Timing& timing) {
  const std::int64_t period = alarm.period.count();
  const std::int64_t shift = points.phase.count();
  const std::int64_t every = period < 60 ? 10 : 60;
  const std::size_t length = alarm.evaluation_periods + kExtraPoints;
  const auto& all = points.points;

  const auto clock = [&](Instant at) { return at.time_since_epoch().count() + shift; };
  const std::int64_t late = timing.delay.count() + points.lag.count();
  // The newest period whose point can be there at a tick.
  const auto newest = [&](std::int64_t tick) { return floor_div(tick - late, period) - 1; };
  std::int64_t tick = floor_div(clock(timing.begin) + every - 1, every) * every;
  const std::int64_t end = clock(timing.end);

  std::vector<Transition> transitions;
  State state = State::insufficient_data;
  std::vector<std::optional<double>> range(length);
  std::vector<Judged> judged(length);
  std::size_t next = 0;  // the first point that is newer than the range
  for (; tick <= end; tick += every) {
    const std::int64_t last = newest(tick);
    while (next < all.size() && all[next].index <= last) ++next;
    std::fill(range.begin(), range.end(), std::nullopt);
    bool low = false;
    bool any = false;
    for (std::size_t i = next; i > 0; --i) {
      const auto& point = all[i - 1];
      const std::int64_t age = last - point.index;
      if (age >= static_cast<std::int64_t>(length)) break;
      range[length - 1 - static_cast<std::size_t>(age)] = point.value;
      low = low || (!any && static_cast<double>(point.samples) <
                                samples_needed(alarm.statistic.percentile));
      any = true;
    }
    for (std::size_t i = 0; i < length; ++i) {
      judged[i] = range[i] ? Judged(alarm.breaches(*range[i])) : std::nullopt;
    }
    const bool held =
        alarm.ignores_low_samples && alarm.statistic.kind == Statistic::Kind::percentile && low;
    const auto wanted =
        held ? std::nullopt
             : decide(judged, alarm.evaluation_periods, alarm.datapoints_to_alarm, alarm.missing);
    if (wanted && *wanted != state) {
      transitions.push_back({Instant(seconds(tick - shift)), state, *wanted, range});
      state = *wanted;
    }
    if (!any) {
      // Nothing changes before the next point can be there.
      if (next == all.size()) break;
      const std::int64_t there = (all[next].index + 1) * period + late;
      tick = std::max(tick, floor_div(there + every - 1, every) * every - every);
    }
  }
  return transitions;
}

std::vector<Transition> evaluate(const MetricAlarm& alarm, const Series& series,
                                 const Timing& timing) {
  return evaluate(alarm, points_of(series, alarm.statistic, alarm.period, timing.phase), timing);
}

std::vector<Transition> evaluate(
    const CompositeAlarm& alarm,
    std::span<const std::pair<std::string, const std::vector<Transition>*>> history,
    Instant begin) {
  struct Change {
    Instant at;
    std::string_view alarm;
    State to;
  };
  std::vector<Change> changes;
  std::map<std::string_view, State> states;
  for (const auto& each : history) {
    states.emplace(each.first, State::insufficient_data);
    for (const Transition& transition : *each.second) {
      changes.push_back({transition.at, each.first, transition.to});
    }
  }
  std::stable_sort(changes.begin(), changes.end(),
                   [](const Change& a, const Change& b) { return a.at < b.at; });
  const auto state_of = [&](std::string_view name) {
    const auto it = states.find(name);
    return it == states.end() ? State::insufficient_data : it->second;
  };
  std::vector<Transition> transitions;
  State state = State::insufficient_data;
  const auto look = [&](Instant at) {
    const State wanted = alarm.rule.holds(state_of) ? State::alarm : State::ok;
    if (wanted == state) return;
    transitions.push_back({at, state, wanted, {}});
    state = wanted;
  };
  // What changes at the same instant is one change.
  if (changes.empty() || changes.front().at > begin) look(begin);
  for (std::size_t i = 0; i < changes.size();) {
    const Instant at = changes[i].at;
    for (; i < changes.size() && changes[i].at == at; ++i) states[changes[i].alarm] = changes[i].to;
    look(at);
  }
  return transitions;
}

}  // namespace oomdrill::alarm
