#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "cgroup/limit.h"

namespace oomdrill::cgroup {

/// nullopt for what v1 shows where no limit is set.
std::optional<std::uint64_t> finite_limit(std::uint64_t bytes);

/// Adds what the file `path` says, if it is there.
Result<void> add_limit_file(const FileRoot& root, const std::string& path, LimitSource source,
                            std::vector<LimitCandidate>& candidates);

}  // namespace oomdrill::cgroup
