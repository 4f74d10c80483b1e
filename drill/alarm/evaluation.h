#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "alarm/model.h"
#include "alarm/series.h"

/// CloudWatch's evaluation of alarms. docs/alarms.md states the rules with their sources.
namespace oomdrill::alarm {

/// Points beyond N that CloudWatch retrieves: its published examples have 5 for N = 3.
constexpr std::uint32_t kExtraPoints = 2;

/// One point of the evaluation range: whether it breaches; nullopt: missing.
using Judged = std::optional<bool>;

/// The state that an evaluation range (oldest first, at least N points) asks for; nullopt: the
/// present one is kept.
std::optional<State> decide(std::span<const Judged> range, std::uint32_t evaluation_periods,
                            std::uint32_t datapoints_to_alarm, Missing missing);

struct Timing {
  /// The alarm exists from here on, in INSUFFICIENT_DATA.
  Instant begin;
  /// The last evaluation is not after this.
  Instant end;
  /// From the end of a period until its point can be retrieved.
  seconds delay{0};
  /// Moves the clock of the periods against that of the samples: whole minutes begin so much
  /// earlier. What a different start of the same incident would have met.
  seconds phase{0};
};

/// The points of a metric: one statistic over aligned periods, where there are samples.
struct Points {
  struct Point {
    std::int64_t index;  ///< the period begins at index · period − phase
    double value;
    std::uint64_t samples;
  };
  seconds period{60};
  seconds phase{0};
  /// How long after its period a point is whole: of a metric of a minute's resolution that an alarm
  /// with a shorter period watches.
  seconds lag{0};
  std::vector<Point> points = {};
};

/// Of the samples within [from, to) alone, where given; periods at their edges are cut.
Points points_of(const Series& series, const Statistic& statistic, seconds period, seconds phase,
                 Instant from = Instant::min(), Instant to = Instant::max());

struct Transition {
  Instant at;
  State from = State::insufficient_data;
  State to = State::insufficient_data;
  /// The evaluation range that it rests on, oldest first; empty of composite alarms.
  std::vector<std::optional<double>> range = {};
};

/// Every change of state, in order.
std::vector<Transition> evaluate(const MetricAlarm& alarm, const Points& points,
                                 const Timing& timing);
std::vector<Transition> evaluate(const MetricAlarm& alarm, const Series& series,
                                 const Timing& timing);

/// `history` of what the rule names; what it names and is not there is in INSUFFICIENT_DATA.
std::vector<Transition> evaluate(
    const CompositeAlarm& alarm,
    std::span<const std::pair<std::string, const std::vector<Transition>*>> history, Instant begin);

}  // namespace oomdrill::alarm
