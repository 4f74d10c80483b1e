#include "alarm/model.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace oomdrill::alarm {
namespace {

using Kind = Statistic::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 5> kStatistics = {
    std::pair<std::string_view, Kind>{"Average", Kind::average},
    {"Maximum", Kind::maximum},
    {"Minimum", Kind::minimum},
    {"Sum", Kind::sum},
    {"SampleCount", Kind::sample_count}};
constexpr std::array<std::pair<std::string_view, Comparison>, 4> kComparisons = {
    std::pair<std::string_view, Comparison>{"GreaterThanThreshold", Comparison::greater},
    {"GreaterThanOrEqualToThreshold", Comparison::greater_or_equal},
    {"LessThanThreshold", Comparison::less},
    {"LessThanOrEqualToThreshold", Comparison::less_or_equal}};
constexpr std::array<std::pair<std::string_view, Missing>, 4> kMissing = {
    std::pair<std::string_view, Missing>{"missing", Missing::missing},
    {"ignore", Missing::ignore},
    {"breaching", Missing::breaching},
    {"notBreaching", Missing::not_breaching}};

template <class Table>
auto find_value(const Table& table, std::string_view text)
    -> std::optional<decltype(table.front().second)> {
  for (const auto& each : table) {
    if (each.first == text) return each.second;
  }
  return std::nullopt;
}

template <class Table, class Value>
std::string_view find_name(const Table& table, Value value) {
  for (const auto& each : table) {
    if (each.second == value) return each.first;
  }
  return "";
}

}  // namespace

bool MetricAlarm::breaches(double value) const {
  switch (comparison) {
    case Comparison::greater:
      return value > threshold;
    case Comparison::greater_or_equal:
      return value >= threshold;
    case Comparison::less:
      return value < threshold;
    case Comparison::less_or_equal:
      return value <= threshold;
  }
  return false;
}

Result<void> MetricAlarm::check() const {
  const auto length = period.count();
  if (length != 10 && length != 20 && length != 30 && (length < 60 || length % 60 != 0)) {
    return fail(fmt::format("a period of {} s", length), name,
                "CloudWatch takes 10, 20, 30 and multiples of 60");
  }
  if (evaluation_periods == 0 || datapoints_to_alarm == 0 ||
      datapoints_to_alarm > evaluation_periods) {
    return fail(fmt::format("{} of {} points", datapoints_to_alarm, evaluation_periods), name,
                "CloudWatch wants 1 <= DatapointsToAlarm <= EvaluationPeriods");
  }
  // Of periods of an hour and more, CloudWatch by now allows a week.
  const std::int64_t most = length >= 3600 ? 7 * 86400 : 86400;
  if (evaluation_periods > most / length) {
    return fail(fmt::format("{} periods of {} s", evaluation_periods, length), name,
                "CloudWatch takes a day at most, of periods of an hour or more a week");
  }
  if (!std::isfinite(threshold)) return fail("its threshold is no number", name);
  return {};
}

std::optional<Statistic> parse_statistic(std::string_view text) {
  if (const auto kind = find_value(kStatistics, text)) return Statistic{*kind, 0};
  if (text.size() < 2 || text.front() != 'p') return std::nullopt;
  double percentile = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + 1, end, percentile, std::chars_format::fixed);
  if (parsed.ec != std::errc() || parsed.ptr != end || !(percentile > 0 && percentile < 100)) {
    return std::nullopt;
  }
  return Statistic{Kind::percentile, percentile};
}

std::optional<Comparison> parse_comparison(std::string_view text) {
  return find_value(kComparisons, text);
}

std::optional<Missing> parse_missing(std::string_view text) { return find_value(kMissing, text); }

std::string name(const Statistic& statistic) {
  if (statistic.kind == Kind::percentile) return fmt::format("p{}", statistic.percentile);
  return std::string(find_name(kStatistics, statistic.kind));
}

std::string_view name(Comparison comparison) { return find_name(kComparisons, comparison); }
std::string_view name(Missing missing) { return find_name(kMissing, missing); }

}  // namespace oomdrill::alarm
