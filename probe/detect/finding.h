#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>

#include "cgroup/sample.h"
#include "detect/trend.h"

namespace oomdrill::probe {

struct ThresholdCrossed {
  double percent = 0;
  bool up = true;
  std::size_t crossed = 0;  ///< thresholds crossed after it
};
struct LimitChanged {
  cgroup::Bytes previous;
  cgroup::Bytes current;
};
/// Close to the limit: what there is to tell must be told before the next allocation kills.
struct LastWords {
  std::uint64_t demand = 0;
};
struct OomKilled {
  std::uint64_t kills = 0;  ///< by the counter; a group kill counts more than its processes
  cgroup::Counters own_before, own_after;
  cgroup::Counters hierarchical_before, hierarchical_after;

  [[nodiscard]] const cgroup::Counters& before() const {
    return hierarchical_before.oom_kill ? hierarchical_before : own_before;
  }
  [[nodiscard]] const cgroup::Counters& after() const {
    return hierarchical_after.oom_kill ? hierarchical_after : own_after;
  }
};
/// Memory that cannot be reclaimed grows towards the limit, or does so no more.
struct GrowthFound {
  bool growing = true;
  Trend trend;
  Nanoseconds eta{};
};
struct PressureChanged {
  std::size_t cause = 0;  ///< pressure_cause_name()
  bool up = true;
  double level = 0;  ///< in the cause's own unit
};
using Finding = std::variant<ThresholdCrossed, LimitChanged, LastWords, OomKilled, GrowthFound,
                             PressureChanged>;

}  // namespace oomdrill::probe
