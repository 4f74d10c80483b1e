#pragma once

#include <string>

#include "base/file.h"
#include "mountinfo.h"

namespace oomdrill::cgroup::v1 {

/// A v1 mount with the memory controller, alone or co-mounted.
bool holds_memory(const Mount& mount);

/// `directory` is a memory cgroup, rather than some other folder.
bool is_memory_cgroup(const FileRoot& root, const std::string& directory);

/// `directory` is the root of the whole hierarchy, and not of a namespace or a bind mount.
bool is_machine_root(const FileRoot& root, const std::string& directory);

}  // namespace oomdrill::cgroup::v1
