#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "alarm/sources.h"

namespace oomdrill::alarm {
namespace {

using Kind = Statistic::Kind;

/// The guide's three, flaws included: no treatment of missing data, and a metric that nobody
/// publishes. deploy/terraform/alarms_guide.tf is the same in Terraform.
AlarmSet guide() {
  AlarmSet set;
  const std::map<std::string, std::string> service = {{"ClusterName", "your-cluster-name"},
                                                      {"ServiceName", "your-service-name"}};
  MetricAlarm alarm;
  alarm.dimensions = service;
  alarm.name = "ecs-memory-utilization-high";
  alarm.metric_namespace = "AWS/ECS";
  alarm.metric = "MemoryUtilization";
  alarm.evaluation_periods = alarm.datapoints_to_alarm = 2;
  alarm.threshold = 85;
  set.metric.push_back(alarm);
  alarm.name = "memory-utilization";
  alarm.threshold = 75;
  set.metric.push_back(alarm);
  alarm.name = "oom-kills";
  alarm.metric_namespace = "ECS/ContainerInsights";
  alarm.metric = "oom_killed";
  alarm.statistic.kind = Kind::sum;
  alarm.evaluation_periods = alarm.datapoints_to_alarm = 1;
  alarm.threshold = 0;
  set.metric.push_back(alarm);
  return set;
}

/// What deploy/terraform/alarms.tf makes of its defaults: a container of 480 MiB, and a lead of 60
/// s at 1 MB/s. tests/aws/test_alarms.py compares the two.
AlarmSet corrected() {
  constexpr std::uint64_t kLimit = std::uint64_t{480} << 20;
  constexpr double kLead_s = 60;
  constexpr double kDelivery_s = 30;
  constexpr double kRate = 1e6;
  const auto threshold_percent = [](double datapoints, double period) {
    const double detection = datapoints * period + period + kDelivery_s;
    const double left = (kLead_s + detection) * kRate / static_cast<double>(kLimit);
    return std::clamp(std::floor(100 * (1 - left)), 50.0, 90.0);
  };
  const struct {
    const char* name;
    const char* metric_namespace;
    const char* metric;
    Kind statistic;
    int period;
    std::uint32_t periods;
    std::uint32_t datapoints;
    Comparison comparison;
    double threshold;
    Missing missing;
  } rows[] = {
      {"memory-lead", "oomdrill", "MemoryUtilization", Kind::maximum, 10, 3, 2, Comparison::greater,
       threshold_percent(2, 10), Missing::not_breaching},
      {"memory-shared", "oomdrill", "SharedMemoryBytes", Kind::maximum, 60, 1, 1,
       Comparison::greater,
       std::floor(static_cast<double>(kLimit) * threshold_percent(1, 60) / 100),
       Missing::not_breaching},
      {"memory-forecast", "oomdrill", "TimeToOom", Kind::minimum, 60, 1, 1, Comparison::less, 900,
       Missing::not_breaching},
      {"oom-killed", "oomdrill", "oom_killed", Kind::sum, 60, 1, 1, Comparison::greater, 0,
       Missing::not_breaching},
      {"worker-oom-killed", "oomdrill", "WorkerOomKills", Kind::sum, 60, 1, 1, Comparison::greater,
       0, Missing::not_breaching},
      {"probe-silent", "oomdrill", "MemoryUtilization", Kind::sample_count, 60, 5, 5,
       Comparison::less, 1, Missing::breaching},
  };
  AlarmSet set;
  set.made_for_bytes = kLimit;
  for (const auto& row : rows) {
    MetricAlarm alarm;
    alarm.name = fmt::format("oomdrill-{}", row.name);
    alarm.metric_namespace = row.metric_namespace;
    alarm.metric = row.metric;
    alarm.statistic.kind = row.statistic;
    alarm.period = seconds(row.period);
    alarm.evaluation_periods = row.periods;
    alarm.datapoints_to_alarm = row.datapoints;
    alarm.comparison = row.comparison;
    alarm.threshold = row.threshold;
    alarm.missing = row.missing;
    set.metric.push_back(std::move(alarm));
  }
  const auto any_of = [](std::initializer_list<const char*> names) {
    std::string rule;
    for (const char* each : names) {
      rule += fmt::format("{}ALARM(\"oomdrill-{}\")", rule.empty() ? "" : " OR ", each);
    }
    return *Rule::parse(rule);
  };
  set.composite.push_back({"oomdrill-killed", any_of({"oom-killed", "worker-oom-killed"})});
  set.composite.push_back(
      {"oomdrill-memory-exhaustion", any_of({"memory-forecast", "memory-lead", "memory-shared"})});
  return set;
}

constexpr std::array kBuiltIn = {
    BuiltIn{"guide",
            "the three alarms of the guide: 85 % and 75 % on average in two minutes, "
            "and a count of kills that nobody publishes",
            guide},
    BuiltIn{"corrected", "what deploy/terraform makes instead, on the probe's metrics", corrected},
};

}  // namespace

std::span<const BuiltIn> built_in_sets() { return kBuiltIn; }

}  // namespace oomdrill::alarm
