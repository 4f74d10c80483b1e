#include "source/endpoint.h"

#include <utility>

#include "cgroup/reader.h"
#include "identity/identity.h"

namespace oomdrill::probe {

void EndpointSource::update(const ecs::MemoryStats& stats, const std::optional<ecs::Task>& task) {
  using cgroup::Version;
  sample_ = {};
  sample_.current = stats.usage;
  sample_.peak = stats.max_usage;
  subject_.version.reset();
  if (stats.cgroup_version) {
    subject_.version = *stats.cgroup_version == 1 ? Version::v1 : Version::v2;
    if (auto stat = cgroup::parse_stat(stats.stat, *subject_.version)) {
      sample_.stat = *stat;
      sample_.has_stat = true;
    }
    (subject_.version == Version::v1 ? sample_.own.max : sample_.own.oom) = stats.failcnt;
  }

  std::vector<cgroup::LimitCandidate> candidates;
  if (task) identity::add_limits(*task, candidates);
  const std::string where = std::string(ecs::kEndpointVariable) + "/task/stats";
  if (stats.limit && host_ && *stats.limit < *host_) {
    candidates.push_back({cgroup::LimitSource::ecs_container, stats.limit, where});
  }
  if (host_) candidates.push_back({cgroup::LimitSource::host, host_, "/proc/meminfo"});
  // The task's may lie above: without /task it is hidden.
  const bool task_told = task.has_value();
  subject_.limit = cgroup::resolve_limit(std::move(candidates), !task_told);
  subject_.limit.complete = task_told;
  subject_.outer_limit = task_told ? task->memory_limit : std::nullopt;
  sample_.limit = subject_.limit.is_cgroup_limit() ? subject_.limit.bytes : std::nullopt;
  fresh_ = true;
}

Result<void> EndpointSource::read(Reading& reading) {
  fresh_ = false;
  reading.has_sample = true;
  reading.sample = sample_;
  reading.limit = sample_.limit;
  reading.limit_source = subject_.limit.source;
  return {};
}

/// The endpoint counts none: what was there stays.
Result<void> EndpointSource::read_counters(Reading&) { return {}; }

}  // namespace oomdrill::probe
