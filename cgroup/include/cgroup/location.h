#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"

namespace oomdrill::cgroup {

/// The hierarchy that holds the memory controller.
enum class Version { v1, v2 };
/// What is mounted. `hybrid`: memory on v1, with a cgroup2 that has no memory controller beside it.
enum class Layout { v1, v2, hybrid };

std::string_view name(Version);
std::string_view name(Layout);

/// One process's memory cgroup, as files that can be opened. All paths are absolute and without
/// the FileRoot's prefix.
struct Location {
  Version version = Version::v2;
  Layout layout = Layout::v2;
  std::string mount;        ///< mount point of the hierarchy: "/sys/fs/cgroup/memory"
  std::string directory;    ///< the cgroup's own folder, at or below `mount`
  std::string kernel_path;  ///< as /proc/<pid>/cgroup shows it: "/docker/<id>", "/"
  /// Visible ancestors of `directory` up to and with `mount`, nearest first.
  std::vector<std::string> ancestors;
  /// A cgroup namespace or a bind mount hides what is above `mount`: told by the files that only
  /// the machine's root has (v1: release_agent, cgroup.sane_behavior), or never has (v2:
  /// cgroup.type, cgroup.events, memory.max).
  bool ancestors_hidden = false;
  /// The mount is read-only, as in a container.
  bool read_only = false;
  /// `directory` is the root cgroup of the machine: no limit, and on v2 no memory.current.
  bool is_root = false;
  /// Out of the kernel path, where it shows one: 64 hex digits ("/docker/<id>",
  /// "/ecs/<task>/<id>", "docker-<id>.scope"); on Fargate the task's id and a number.
  std::optional<std::string> container_id;
  std::optional<std::string> ecs_task_id;
};

/// The memory cgroup of `process` ("self" or a pid), as far as our own mounts show it. Decided by
/// the mounted file systems and by which hierarchy holds memory (facts.md, 1), never by
/// /proc/cgroups. On v2 a cgroup without the memory controller is charged to its nearest ancestor
/// that has it: `directory` is that one.
Result<Location> locate(const FileRoot& root, std::string_view process = "self");

/// A cgroup folder that the user names; its version is told by the files in it.
Result<Location> locate_directory(const FileRoot& root, const std::string& directory);

/// Location::container_id of `process`, where our mounts need not show its cgroup; nullopt: its
/// path holds none, or it may not be read.
std::optional<std::string> container_id(const FileRoot& root, std::string_view process);

}  // namespace oomdrill::cgroup
