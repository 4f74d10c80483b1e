#include "alarm/sources.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/file.h"

namespace oomdrill::alarm {
namespace {

using Json = nlohmann::json;

/// A thousand alarms of an account are about 2 MB.
constexpr std::size_t kLargestFile = std::size_t{64} << 20;
constexpr std::string_view kWanted =
    "give the output of `aws cloudwatch describe-alarms` or `terraform show -json`, 'guide' or "
    "'corrected'";
/// Modules within modules.
constexpr int kDeepestModule = 64;

/// One alarm's members, whichever of the two spells them.
struct Names {
  const char* name;
  const char* metric_namespace;
  const char* metric;
  const char* dimensions;
  const char* statistic;
  const char* extended_statistic;
  const char* period;
  const char* evaluation_periods;
  const char* datapoints_to_alarm;
  const char* threshold;
  const char* comparison;
  const char* missing;
  const char* low_samples;
  const char* math;
  const char* anomaly;
  const char* rule;
};

constexpr Names kApi = {"AlarmName",
                        "Namespace",
                        "MetricName",
                        "Dimensions",
                        "Statistic",
                        "ExtendedStatistic",
                        "Period",
                        "EvaluationPeriods",
                        "DatapointsToAlarm",
                        "Threshold",
                        "ComparisonOperator",
                        "TreatMissingData",
                        "EvaluateLowSampleCountPercentile",
                        "Metrics",
                        "ThresholdMetricId",
                        "AlarmRule"};
constexpr Names kTerraform = {"alarm_name",
                              "namespace",
                              "metric_name",
                              "dimensions",
                              "statistic",
                              "extended_statistic",
                              "period",
                              "evaluation_periods",
                              "datapoints_to_alarm",
                              "threshold",
                              "comparison_operator",
                              "treat_missing_data",
                              "evaluate_low_sample_count_percentiles",
                              "metric_query",
                              "threshold_metric_id",
                              "alarm_rule"};

const Json* member(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

/// nullopt where it is absent or no text.
std::optional<std::string> text(const Json& object, const char* name) {
  const Json* found = member(object, name);
  if (found == nullptr || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

/// Terraform's authors quote numbers.
std::optional<double> number(const Json& object, const char* name) {
  const Json* found = member(object, name);
  if (found == nullptr) return std::nullopt;
  if (found->is_number()) return found->get<double>();
  if (!found->is_string()) return std::nullopt;
  const auto& digits = found->get_ref<const std::string&>();
  double value = 0;
  const char* end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return value;
}

/// A count; nullopt where it is none.
std::optional<std::uint32_t> whole(const Json& object, const char* name) {
  const auto value = number(object, name);
  if (!value || !(*value >= 0 && *value <= 1e9)) return std::nullopt;
  const auto count = static_cast<std::uint32_t>(*value);
  if (static_cast<double>(count) != *value) return std::nullopt;
  return count;
}

bool filled(const Json& object, const char* name) {
  const Json* found = member(object, name);
  return found != nullptr && !(found->is_array() && found->empty()) &&
         !(found->is_string() && found->get_ref<const std::string&>().empty());
}

std::map<std::string, std::string> dimensions_of(const Json& object, const char* name) {
  std::map<std::string, std::string> dimensions;
  const Json* found = member(object, name);
  if (found == nullptr) return dimensions;
  if (found->is_object()) {
    for (const auto& [key, value] : found->items()) {
      if (value.is_string()) dimensions.emplace(key, value.get<std::string>());
    }
  } else if (found->is_array()) {
    for (const Json& each : *found) {
      const auto key = text(each, "Name");
      const auto value = text(each, "Value");
      if (key && value) dimensions.emplace(*key, *value);
    }
  }
  return dimensions;
}

class Loader {
 public:
  explicit Loader(AlarmSet& set) : set_(set) {}

  Result<void> add_metric(const Json& object, const Names& names) {
    const auto alarm_name = name_of(object, names);
    if (!alarm_name) return fail(alarm_name.error());
    if (filled(object, names.math) || filled(object, names.anomaly)) {
      set_.other.push_back({*alarm_name, filled(object, names.anomaly)
                                             ? "anomaly detection is CloudWatch's own model"
                                             : "metric math is not evaluated here"});
      return {};
    }
    MetricAlarm alarm;
    alarm.name = *alarm_name;
    const auto wrong = [&](const char* what) {
      return fail(fmt::format("{} is missing or wrong", what),
                  fmt::format("alarm '{}'", alarm.name));
    };
    const auto space = text(object, names.metric_namespace);
    if (!space) return wrong(names.metric_namespace);
    alarm.metric_namespace = *space;
    const auto metric = text(object, names.metric);
    if (!metric) return wrong(names.metric);
    alarm.metric = *metric;
    alarm.dimensions = dimensions_of(object, names.dimensions);
    auto statistic = text(object, names.statistic);
    const bool extended = !statistic || statistic->empty();
    if (extended) statistic = text(object, names.extended_statistic);
    if (!statistic) return wrong(names.statistic);
    const auto parsed = parse_statistic(*statistic);
    if (!parsed) {
      if (!extended) return wrong(names.statistic);
      set_.other.push_back({alarm.name, "the statistic " + *statistic + " is not evaluated here"});
      return {};
    }
    alarm.statistic = *parsed;
    const auto period = whole(object, names.period);
    if (!period) return wrong(names.period);
    alarm.period = seconds(*period);
    const auto n = whole(object, names.evaluation_periods);
    if (!n) return wrong(names.evaluation_periods);
    alarm.evaluation_periods = *n;
    // Terraform's 0 is its way to say nothing.
    const auto m = whole(object, names.datapoints_to_alarm);
    if (!m && member(object, names.datapoints_to_alarm) != nullptr) {
      return wrong(names.datapoints_to_alarm);
    }
    alarm.datapoints_to_alarm = m.value_or(0) == 0 ? *n : *m;
    const auto threshold = number(object, names.threshold);
    if (!threshold) return wrong(names.threshold);
    alarm.threshold = *threshold;
    const auto comparison = parse_comparison(text(object, names.comparison).value_or(""));
    if (!comparison) return wrong(names.comparison);
    alarm.comparison = *comparison;
    if (const auto treatment = text(object, names.missing); treatment && !treatment->empty()) {
      const auto missing = parse_missing(*treatment);
      if (!missing) return wrong(names.missing);
      alarm.missing = *missing;
    }
    alarm.ignores_low_samples = text(object, names.low_samples).value_or("") == "ignore";
    if (auto checked = alarm.check(); !checked) {
      checked.error().where = fmt::format("alarm '{}'", alarm.name);
      return checked;
    }
    set_.metric.push_back(std::move(alarm));
    return {};
  }

  Result<void> add_composite(const Json& object, const Names& names) {
    const auto alarm_name = name_of(object, names);
    if (!alarm_name) return fail(alarm_name.error());
    const auto rule_text = text(object, names.rule);
    if (!rule_text) {
      // A plan that does not know the names yet.
      set_.other.push_back({*alarm_name, "its rule is not known before it is applied"});
      return {};
    }
    auto rule = Rule::parse(*rule_text);
    if (!rule) return fail(std::move(rule.error()).within(fmt::format("alarm '{}'", *alarm_name)));
    set_.composite.push_back({*alarm_name, std::move(*rule)});
    return {};
  }

  // NOLINTNEXTLINE(misc-no-recursion): bounded by kDeepestModule.
  Result<void> add_module(const Json& module, int depth) {
    if (depth > kDeepestModule) return fail("modules within modules without end");
    if (const Json* resources = member(module, "resources"); resources && resources->is_array()) {
      for (const Json& resource : *resources) {
        const auto type = text(resource, "type");
        const Json* values = member(resource, "values");
        if (!type || values == nullptr) continue;
        Result<void> added;
        if (*type == "aws_cloudwatch_metric_alarm") added = add_metric(*values, kTerraform);
        if (*type == "aws_cloudwatch_composite_alarm") added = add_composite(*values, kTerraform);
        if (!added) return added;
      }
    }
    if (const Json* modules = member(module, "child_modules"); modules && modules->is_array()) {
      for (const Json& child : *modules) {
        if (auto added = add_module(child, depth + 1); !added) return added;
      }
    }
    return {};
  }

 private:
  static Result<std::string> name_of(const Json& object, const Names& names) {
    const auto found = text(object, names.name);
    if (!found || found->empty()) return fail(fmt::format("an alarm without {}", names.name));
    return *found;
  }

  AlarmSet& set_;
};

Result<void> add_described(Loader& loader, const Json& root) {
  if (const Json* alarms = member(root, "MetricAlarms"); alarms && alarms->is_array()) {
    for (const Json& each : *alarms) {
      if (auto added = loader.add_metric(each, kApi); !added) return added;
    }
  }
  if (const Json* alarms = member(root, "CompositeAlarms"); alarms && alarms->is_array()) {
    for (const Json& each : *alarms) {
      if (auto added = loader.add_composite(each, kApi); !added) return added;
    }
  }
  return {};
}

}  // namespace

Result<AlarmSet> parse_alarms(std::string_view json) {
  const Json root = Json::parse(json, nullptr, false);
  if (root.is_discarded()) return fail("is no JSON", {}, std::string(kWanted));
  AlarmSet set;
  Loader loader(set);
  Result<void> added;
  bool known = false;
  if (member(root, "MetricAlarms") != nullptr || member(root, "CompositeAlarms") != nullptr) {
    known = true;
    added = add_described(loader, root);
  } else {
    for (const char* part : {"planned_values", "values"}) {
      const Json* values = member(root, part);
      const Json* module = values != nullptr ? member(*values, "root_module") : nullptr;
      if (module == nullptr || known) continue;
      known = true;
      added = loader.add_module(*module, 0);
    }
  }
  if (!known) return fail("holds no alarms", {}, std::string(kWanted));
  if (!added) return fail(added.error());
  if (set.size() == 0) return fail("holds no alarms", {}, std::string(kWanted));
  return set;
}

Result<AlarmSet> load_alarms(const std::string& name_or_path) {
  for (const BuiltIn& each : built_in_sets()) {
    if (each.name != name_or_path) continue;
    AlarmSet set = each.make();
    set.source = name_or_path;
    return set;
  }
  const auto content = read_file(name_or_path, kLargestFile);
  if (!content) {
    Error error = content.error();
    if (error.remedy.empty()) error.remedy = std::string(kWanted);
    return fail(std::move(error));
  }
  auto set = parse_alarms(*content);
  if (!set) return fail(std::move(set.error()).within(name_or_path));
  set->source = name_or_path;
  return set;
}

}  // namespace oomdrill::alarm
