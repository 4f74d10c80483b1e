#pragma once

#include <string>

#include "base/error.h"
#include "base/file.h"

namespace oomdrill::cgroup::v2 {

/// `directory` has the memory controller enabled. The root of the hierarchy never does.
bool is_memory_cgroup(const FileRoot& root, const std::string& directory);

/// `directory` is a cgroup at all, with or without controllers.
bool is_cgroup(const FileRoot& root, const std::string& directory);

/// `directory`, a cgroup, is the root of the whole hierarchy, and not of a namespace or a bind
/// mount.
bool is_machine_root(const FileRoot& root, const std::string& directory);

/// cgroup.controllers of `directory` names memory: this hierarchy holds it, and it may be enabled
/// for the children.
Result<bool> offers_memory(const FileRoot& root, const std::string& directory);

}  // namespace oomdrill::cgroup::v2
