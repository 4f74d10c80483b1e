#pragma once

#include <string_view>

#include "base/error.h"
#include "cgroup/sample.h"

namespace oomdrill::cgroup {

/// memory.pressure and /proc/pressure/memory.
Result<Pressure> parse_pressure(std::string_view text, std::string_view where);

}  // namespace oomdrill::cgroup
