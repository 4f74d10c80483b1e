#pragma once

#include <string_view>

#include "base/error.h"
#include "cgroup/sample.h"

namespace oomdrill::cgroup::v2 {

/// memory.stat.
Result<Stat> parse_stat(std::string_view text, std::string_view where);

/// memory.events and memory.events.local.
Result<Counters> parse_events(std::string_view text, std::string_view where);

}  // namespace oomdrill::cgroup::v2
