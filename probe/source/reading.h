#pragma once

#include "base/clock.h"
#include "cgroup/limit.h"
#include "cgroup/sample.h"

namespace oomdrill::probe {

/// One look at what is watched.
struct Reading {
  Nanoseconds at{};  ///< Clock::now()
  /// False where there is no memory cgroup to read: `sample` and `limit` then say nothing.
  bool has_sample = false;
  cgroup::Sample sample;
  cgroup::Bytes limit;  ///< the effective limit, where a cgroup sets one
  cgroup::LimitSource limit_source = cgroup::LimitSource::unknown;
  cgroup::Count host_oom_kills;  ///< /proc/vmstat oom_kill
  cgroup::Bytes host_available;  ///< /proc/meminfo MemAvailable
};

/// What thresholds and forecasts go by: the working set, since a full page cache is not danger;
/// usage where memory.stat cannot be read.
inline std::uint64_t demand(const Reading& reading) {
  return cgroup::working_set(reading.sample).value_or(reading.sample.current);
}

/// `bytes` in percent of the limit.
inline std::optional<double> percent_of_limit(const Reading& reading, std::uint64_t bytes) {
  if (!reading.limit || *reading.limit == 0) return std::nullopt;
  return 100.0 * static_cast<double>(bytes) / static_cast<double>(*reading.limit);
}

}  // namespace oomdrill::probe
