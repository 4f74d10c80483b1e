#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

#include "base/file.h"
#include "ecs/metadata.h"

/// The other containers of a pid namespace that several share.
namespace oomdrill::probe {

struct Neighbour {
  std::string mounts;        ///< its mount namespace, "mnt:[4026532]": what tells one from another
  pid_t main = 0;            ///< its first process
  std::string container_id;  ///< empty: its cgroup's path does not show one
};

struct Neighbours {
  std::vector<Neighbour> containers;  ///< by their first process
  std::size_t hidden = 0;             ///< processes whose container we may not see
};

/// By the processes of /proc below `root`. The own container is left out.
Neighbours find_neighbours(const FileRoot& root);

/// The task with `self` as the container of that id, where the endpoint knows it, else with the id
/// alone; a task of nothing but the id where there is none.
ecs::Task as_seen_by(const std::optional<ecs::Task>& task, const std::string& container_id);

}  // namespace oomdrill::probe
