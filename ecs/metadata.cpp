#include "ecs/metadata.h"

#include "json.h"

namespace oomdrill::ecs {
namespace {

/// The endpoint counts memory in MiB; 0 is its way to say "no limit".
std::optional<std::uint64_t> mebibytes(const Json& object, const char* name) {
  const auto it = object.find(name);
  if (it == object.end() || !it->is_number()) return std::nullopt;
  const double value = it->get<double>();
  constexpr double kMost = 1e12;  // 2^63 bytes and more are no memory
  if (!(value > 0 && value < kMost)) return std::nullopt;
  return static_cast<std::uint64_t>(value) << 20;
}

std::string last_part(const std::string& arn) {
  const auto slash = arn.rfind('/');
  return slash == std::string::npos ? arn : arn.substr(slash + 1);
}

std::optional<std::int64_t> whole(const Json& object, const char* name) {
  const auto it = object.find(name);
  if (it == object.end() || !it->is_number_integer()) return std::nullopt;
  return it->get<std::int64_t>();
}

Container parse_container(const Json& object) {
  const Json limits = member(object, "Limits");
  return {.docker_id = text(object, "DockerId"),
          .name = text(object, "Name"),
          .image = text(object, "Image"),
          .arn = text(object, "ContainerARN"),
          .memory_limit = mebibytes(limits, "Memory"),
          .memory_reservation = mebibytes(limits, "MemoryReservation"),
          .restart_count = whole(object, "RestartCount"),
          .type = text(object, "Type"),
          .known_status = text(object, "KnownStatus"),
          .exit_code = whole(object, "ExitCode")};
}

}  // namespace

Result<Task> parse_task(std::string_view task_json, std::string_view container_json) {
  const auto json = parse_object(task_json);
  if (!json) return fail(json.error());
  Task task{.cluster = last_part(text(*json, "Cluster")),
            .arn = text(*json, "TaskARN"),
            .id = {},
            .family = text(*json, "Family"),
            .revision = text(*json, "Revision"),
            .service = text(*json, "ServiceName"),
            .launch_type = text(*json, "LaunchType"),
            .availability_zone = text(*json, "AvailabilityZone"),
            .memory_limit = mebibytes(member(*json, "Limits"), "Memory"),
            .containers = {},
            .self = std::nullopt};
  task.id = last_part(task.arn);
  if (const auto it = json->find("Containers"); it != json->end() && it->is_array()) {
    for (const Json& container : *it) {
      if (container.is_object()) task.containers.push_back(parse_container(container));
    }
  }
  if (const auto self = parse_object(container_json)) {
    task.self = parse_container(*self);
  } else if (task.containers.size() == 1) {
    task.self = task.containers.front();
  }
  return task;
}

Result<Task> fetch_task(const std::string& endpoint, Nanoseconds timeout) {
  const auto task = http_get(endpoint + "/task", timeout);
  if (!task) return fail(task.error());
  const auto self = http_get(endpoint, timeout);
  auto parsed = parse_task(*task, self.value_or(std::string()));
  if (!parsed) return fail(std::move(parsed.error()).within(endpoint + "/task"));
  return parsed;
}

}  // namespace oomdrill::ecs
