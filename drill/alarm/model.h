#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alarm/rule.h"
#include "alarm/state.h"
#include "base/error.h"

/// CloudWatch alarms, as far as they decide: no actions, no descriptions.
namespace oomdrill::alarm {

using std::chrono::seconds;

/// How missing points are treated.
enum class Missing { missing, ignore, breaching, not_breaching };

enum class Comparison { greater, greater_or_equal, less, less_or_equal };

struct Statistic {
  enum class Kind { average, maximum, minimum, sum, sample_count, percentile };
  Kind kind = Kind::average;
  double percentile = 0;  ///< in (0, 100)

  friend bool operator==(const Statistic&, const Statistic&) = default;
};

struct MetricAlarm {
  std::string name;
  std::string metric_namespace;
  std::string metric;
  std::map<std::string, std::string> dimensions = {};
  Statistic statistic = {};
  seconds period{60};
  std::uint32_t evaluation_periods = 1;   ///< N
  std::uint32_t datapoints_to_alarm = 1;  ///< M
  Comparison comparison = Comparison::greater;
  double threshold = 0;
  Missing missing = Missing::missing;
  /// Percentiles of too few samples change nothing (EvaluateLowSampleCountPercentile: ignore).
  bool ignores_low_samples = false;

  [[nodiscard]] bool breaches(double value) const;
  /// Error: CloudWatch refuses such an alarm; `where` is its name.
  [[nodiscard]] Result<void> check() const;
};

struct CompositeAlarm {
  std::string name;
  Rule rule;
};

/// An alarm that exists and that we cannot evaluate.
struct OtherAlarm {
  std::string name;
  std::string why;
};

struct AlarmSet {
  std::string source;  ///< a path, or the name of a built-in set
  /// The limit that thresholds in bytes were reckoned for, where they are to go with it; 0: none.
  std::uint64_t made_for_bytes = 0;
  std::vector<MetricAlarm> metric = {};
  std::vector<CompositeAlarm> composite = {};
  std::vector<OtherAlarm> other = {};

  [[nodiscard]] std::size_t size() const { return metric.size() + composite.size() + other.size(); }
};

// Names as the API spells them; nullopt, or an empty text, for none of them.
std::optional<Statistic> parse_statistic(std::string_view text);  ///< "Average", "p99", "p99.9"
std::optional<Comparison> parse_comparison(std::string_view text);
std::optional<Missing> parse_missing(std::string_view text);
std::string name(const Statistic& statistic);
std::string_view name(Comparison comparison);
std::string_view name(Missing missing);

}  // namespace oomdrill::alarm
