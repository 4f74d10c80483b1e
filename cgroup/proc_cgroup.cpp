#include "proc_cgroup.h"

#include <algorithm>

#include "text.h"

namespace oomdrill::cgroup {
namespace {

bool all_of(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kDigits = "0123456789";

/// ECS task ids are 32 hex digits, or a UUID on accounts that keep the old format.
bool is_task_id(std::string_view text) {
  return (text.size() == 32 && all_of(text, kHex)) ||
         (text.size() == 36 && all_of(text, "0123456789abcdef-"));
}

/// "docker-<id>.scope" is how Docker's systemd driver names it, "cri-containerd-<id>.scope" the
/// kubelet's; the cgroupfs driver uses the bare id.
std::string_view unwrap_scope(std::string_view name) {
  if (!name.ends_with(".scope")) return name;
  name.remove_suffix(std::string_view(".scope").size());
  return name.substr(name.rfind('-') + 1);
}

}  // namespace

Result<std::vector<Membership>> parse_proc_cgroup(std::string_view text, std::string_view where) {
  std::vector<Membership> memberships;
  Lines lines(text);
  while (const auto line = lines.next()) {
    // Only the path may hold further colons.
    std::string_view rest = *line;
    const std::string_view hierarchy = cut(rest, ':');
    const std::string_view controllers = cut(rest, ':');
    if (!to_number(hierarchy) || !rest.starts_with('/')) {
      return fail_line(where, lines.number(), *line, "is no cgroup membership");
    }
    memberships.push_back({.unified = hierarchy == "0" && controllers.empty(),
                           .controllers = std::string(controllers),
                           .path = std::string(rest)});
  }
  return memberships;
}

std::optional<std::string> container_id_of(std::string_view path) {
  // The innermost: a container within a container carries both ids.
  std::optional<std::string> found;
  std::string_view parent;
  while (!path.empty()) {
    const std::string_view name = cut(path, '/');
    const std::string_view id = unwrap_scope(name);
    if (id.size() == 64 && all_of(id, kHex)) found = id;
    // Fargate's container ids are the task's id and a number.
    const std::size_t dash = name.find('-');
    if (dash != std::string_view::npos && is_task_id(parent) && name.substr(0, dash) == parent &&
        all_of(name.substr(dash + 1), kDigits)) {
      found = name;
    }
    parent = name;
  }
  return found;
}

std::optional<std::string> ecs_task_id_of(std::string_view path) {
  // The agent's names: "/ecs/<task>/…" on v1, "/ecstasks.slice/ecstasks-<task>.slice/…" on v2
  // (amazon-ecs-agent, agent/config: DefaultTaskCgroupV1Prefix, DefaultTaskCgroupV2Prefix).
  std::string_view parent;
  while (!path.empty()) {
    std::string_view name = cut(path, '/');
    if (parent == "ecs" && is_task_id(name)) return std::string(name);
    parent = name;
    constexpr std::string_view kSlice = "ecstasks-";
    if (name.starts_with(kSlice) && name.ends_with(".slice")) {
      name.remove_prefix(kSlice.size());
      name.remove_suffix(std::string_view(".slice").size());
      if (is_task_id(name)) return std::string(name);
    }
  }
  return std::nullopt;
}

}  // namespace oomdrill::cgroup
