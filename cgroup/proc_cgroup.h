#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace oomdrill::cgroup {

/// One line of /proc/<pid>/cgroup (cgroups(7)): one hierarchy and the process's place in it.
struct Membership {
  bool unified = false;     ///< "0::": cgroup v2
  std::string controllers;  ///< v1: "cpu,cpuacct", "memory", "name=systemd"
  std::string path;         ///< "/docker/<id>"; may begin with "/.." out of a namespace
};

Result<std::vector<Membership>> parse_proc_cgroup(std::string_view text, std::string_view where);

/// Ids out of a cgroup's path; see Location.
std::optional<std::string> container_id_of(std::string_view kernel_path);
std::optional<std::string> ecs_task_id_of(std::string_view kernel_path);

}  // namespace oomdrill::cgroup
