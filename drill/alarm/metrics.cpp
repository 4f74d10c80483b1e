#include "alarm/metrics.h"

#include <fmt/core.h>

#include <algorithm>

namespace oomdrill::alarm {
namespace {

constexpr double kPerMiB = 1.0 / (1 << 20);

/// The one table. deploy/terraform makes the last three by metric filters.
constexpr std::array kMetrics = {
    Metric{Publisher::ecs, "MemoryUtilization", {"memory.sample", ""}, "MemoryUtilization"},
    Metric{Publisher::container_insights,
           "MemoryUtilized",
           {"memory.sample", ""},
           "ecs_used_bytes",
           kPerMiB},
    Metric{Publisher::container_insights,
           "MemoryReserved",
           {"memory.sample", ""},
           "memory_reservation",
           kPerMiB},
    Metric{Publisher::container_insights,
           "ContainerMemoryUtilization",
           {"memory.sample", ""},
           "MemoryUtilization"},
    Metric{Publisher::container_insights,
           "TaskMemoryUtilization",
           {"memory.sample", ""},
           "MemoryUtilization"},
    Metric{Publisher::probe, "MemoryUtilization", {"memory.sample", ""}, "MemoryUtilization"},
    Metric{Publisher::probe, "memory_reservation", {"memory.sample", ""}, "memory_reservation"},
    Metric{Publisher::probe, "oom_killed", {"memory.sample", "memory.oom_kill"}, "oom_killed"},
    Metric{Publisher::probe, "SharedMemoryBytes", {"memory.sample", ""}, "shmem_bytes"},
    Metric{Publisher::probe, "TimeToOom", {"memory.growth", ""}, "eta_oom_s"},
    Metric{Publisher::probe, "WorkerOomKills", {"memory.oom_kill", ""}, "survived", 1, true},
};

/// What people take for published.
struct Myth {
  std::string_view metric_namespace;
  std::string_view metric;
  std::string_view truth;
};

constexpr std::array kMyths = {
    Myth{"ECS/ContainerInsights", "oom_killed",
         "nobody publishes it: neither ECS nor Container Insights ever had an oom_killed "
         "(aws/amazon-ecs-agent#902)"},
    Myth{"AWS/ECS", "oom_killed",
         "nobody publishes it: neither ECS nor Container Insights ever had an oom_killed "
         "(aws/amazon-ecs-agent#902)"},
    Myth{"ECS/ContainerInsights", "memory_reservation",
         "nobody publishes it: Container Insights calls it MemoryReserved"},
    Myth{"AWS/ECS", "MemoryReservation", "a cluster's, of EC2 instances: no recording holds it"},
    Myth{"ECS/ContainerInsights", "RestartCount", "the service's: no recording holds it"},
};

bool is_member_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

Resolved resolve(const std::string& metric_namespace, const std::string& metric,
                 const std::string& probe_namespace) {
  const auto lookup = [&](Publisher publisher) -> const Metric* {
    const auto* found = std::find_if(kMetrics.begin(), kMetrics.end(), [&](const Metric& each) {
      return each.publisher == publisher && each.name == metric;
    });
    return found == kMetrics.end() ? nullptr : &*found;
  };
  const bool probes = metric_namespace == probe_namespace;
  if (probes) {
    if (const auto* found = lookup(Publisher::probe)) return {found, {}, {}};
  }
  if (metric_namespace == "AWS/ECS") {
    if (const auto* found = lookup(Publisher::ecs)) return {found, {}, {}};
  }
  if (metric_namespace == "ECS/ContainerInsights") {
    if (const auto* found = lookup(Publisher::container_insights)) return {found, {}, {}};
  }
  for (const Myth& myth : kMyths) {
    if (myth.metric_namespace != metric_namespace || myth.metric != metric) continue;
    std::string why(myth.truth);
    if (lookup(Publisher::probe) != nullptr) {
      why += fmt::format("; oomprobe publishes {} in '{}' (--metric-namespace)", metric,
                         probe_namespace);
    }
    return {nullptr, {}, why};
  }
  if (probes && is_member_name(metric)) return {nullptr, metric, {}};
  return {nullptr, {}, fmt::format("no recording holds {} of '{}'", metric, metric_namespace)};
}

seconds resolution(Publisher publisher) {
  return publisher == Publisher::probe ? seconds(1) : seconds(60);
}

void SeriesSet::want(const std::string& metric_namespace, const std::string& metric,
                     const Statistic& statistic) {
  const bool keeps = statistic.kind == Statistic::Kind::percentile;
  auto source = resolve(metric_namespace, metric, probe_namespace_);
  const seconds length =
      resolution(source.metric != nullptr ? source.metric->publisher : Publisher::probe);
  const Key key{metric_namespace, metric};
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    entries_.emplace(key, Entry{std::move(source), Series(length, keeps)});
  } else if (keeps) {
    found->second.series = Series(length, keeps);
  }
}

const Series* SeriesSet::find(const std::string& metric_namespace,
                              const std::string& metric) const {
  const auto found = entries_.find({metric_namespace, metric});
  return found == entries_.end() ? nullptr : &found->second.series;
}

Series* SeriesSet::find(const std::string& metric_namespace, const std::string& metric) {
  const auto found = entries_.find({metric_namespace, metric});
  return found == entries_.end() ? nullptr : &found->second.series;
}

std::string SeriesSet::why_empty(const std::string& metric_namespace,
                                 const std::string& metric) const {
  const auto found = entries_.find({metric_namespace, metric});
  if (found == entries_.end()) return "it was not looked for";
  if (!found->second.source.why_not.empty()) return found->second.source.why_not;
  if (found->second.series.empty()) return "there is no sample of it";
  return "";
}

}  // namespace oomdrill::alarm
