#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/options.h"
#include "base/units.h"
#include "cgroup/limit.h"
#include "ecs/metadata.h"
#include "telemetry/encoder.h"

/// Who this process is, as ECS knows it, in the terms of the parts that do not know ECS: the
/// members and dimensions of its events, and the limits that only the endpoint tells.
namespace oomdrill::identity {

/// What the task metadata endpoint says of us. nullopt off ECS (its variable is unset or empty:
/// no warning), and where it does not answer within `timeout` a request. A non-null `warning` is
/// set to one line where something was asked for in vain, and is cleared otherwise.
/// Two requests: call it once, at start.
std::optional<ecs::Task> ask_endpoint(const Environment& environment, Nanoseconds timeout,
                                      std::string* warning = nullptr);

/// Members cluster, service, family, revision, task_id, container_name, container_id,
/// availability_zone, launch_type, as far as they are known; the dimension sets {ClusterName,
/// ServiceName} and {TaskDefinitionFamily, ContainerName}, each where both of its values are
/// known and CloudWatch takes them. Without a task: no member, no set.
telemetry::Context make_context(const std::optional<ecs::Task>& task,
                                std::string metric_namespace = "oomdrill");

/// Appends the endpoint's limits, for cgroup::resolve_limit: `ecs_task` always, `ecs_container`
/// where the endpoint told which container we are. "No limit" is a candidate without bytes: it
/// is an answer too, that no lower limit is hidden.
void add_limits(const ecs::Task& task, std::vector<cgroup::LimitCandidate>& candidates);

}  // namespace oomdrill::identity
