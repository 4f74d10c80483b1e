#pragma once

#include <memory>

#include "base/error.h"
#include "base/file.h"
#include "held_files.h"

namespace oomdrill::cgroup::v2 {

Result<std::unique_ptr<const HeldFiles>> open_files(const FileRoot& root, const Location& location);

}  // namespace oomdrill::cgroup::v2
