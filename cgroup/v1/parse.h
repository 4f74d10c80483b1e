#pragma once

#include <string_view>

#include "base/error.h"
#include "cgroup/sample.h"

namespace oomdrill::cgroup::v1 {

/// memory.stat under v2's names, the hierarchical total_* values where they are present.
struct StatFile {
  Stat stat;
  Bytes swap;
  Bytes hierarchical_limit;  ///< hierarchical_memory_limit
};
Result<StatFile> parse_stat(std::string_view text, std::string_view where);

/// memory.oom_control: oom_kill (kernel 4.13).
Result<Counters> parse_oom_control(std::string_view text, std::string_view where);

}  // namespace oomdrill::cgroup::v1
