#pragma once

#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "cgroup/limit.h"

namespace oomdrill::cgroup::v1 {

/// Own, ancestors, hierarchical; the files' absence adds no candidate.
Result<std::vector<LimitCandidate>> collect_limits(const FileRoot& root, const Location& location);

}  // namespace oomdrill::cgroup::v1
