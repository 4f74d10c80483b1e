#include "identity/identity.h"

#include <utility>

namespace oomdrill::identity {
namespace {

using Members = std::vector<std::pair<std::string, std::string>>;

void add(Members& members, const char* name, const std::string& value) {
  if (!value.empty()) members.emplace_back(name, value);
}

/// A set that CloudWatch refuses would cost the event its metrics: then rather none.
void add_set(telemetry::Context& context, Members set) {
  for (const auto& [name, value] : set) {
    if (value.empty()) return;
  }
  telemetry::Context alone{
      .members = {}, .metric_namespace = context.metric_namespace, .dimension_sets = {set}};
  if (telemetry::validate(alone)) context.dimension_sets.push_back(std::move(set));
}

}  // namespace

std::optional<ecs::Task> ask_endpoint(const Environment& environment, Nanoseconds timeout,
                                      std::string* warning) {
  if (warning != nullptr) warning->clear();
  const char* endpoint = environment ? environment(ecs::kEndpointVariable) : nullptr;
  if (endpoint == nullptr || *endpoint == '\0') return std::nullopt;
  auto task = ecs::fetch_task(endpoint, timeout);
  if (task) {
    if (!task->self && warning != nullptr) {
      *warning = std::string(endpoint) +
                 ": does not say which container of the task this is; "
                 "events lack its name, and ContainerName is no dimension";
    }
    return std::move(*task);
  }
  if (warning != nullptr) {
    *warning =
        task.error().line() + "; events lack the task's names, and its limit is unknown here";
  }
  return std::nullopt;
}

telemetry::Context make_context(const std::optional<ecs::Task>& task,
                                std::string metric_namespace) {
  telemetry::Context context;
  context.metric_namespace = std::move(metric_namespace);
  if (!task) return context;
  const std::string container = task->self ? task->self->name : std::string();
  add(context.members, "cluster", task->cluster);
  add(context.members, "service", task->service);
  add(context.members, "family", task->family);
  add(context.members, "revision", task->revision);
  add(context.members, "task_id", task->id);
  add(context.members, "container_name", container);
  add(context.members, "container_id", task->self ? task->self->docker_id : std::string());
  add(context.members, "availability_zone", task->availability_zone);
  add(context.members, "launch_type", task->launch_type);
  add_set(context, {{"ClusterName", task->cluster}, {"ServiceName", task->service}});
  add_set(context, {{"TaskDefinitionFamily", task->family}, {"ContainerName", container}});
  return context;
}

void add_limits(const ecs::Task& task, std::vector<cgroup::LimitCandidate>& candidates) {
  using cgroup::LimitSource;
  const std::string where = ecs::kEndpointVariable;
  if (task.self) {
    candidates.push_back({LimitSource::ecs_container, task.self->memory_limit, where});
  }
  candidates.push_back({LimitSource::ecs_task, task.memory_limit, where + "/task"});
}

}  // namespace oomdrill::identity
