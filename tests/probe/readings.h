#pragma once

#include "detect/detectors.h"
#include "source/reading.h"

namespace oomdrill::probe::fake {

inline constexpr std::uint64_t kMiB = 1 << 20;

/// A look at a cgroup of 100 MiB whose working set is `used` MiB.
inline Reading reading_at(Nanoseconds at, std::uint64_t used_mib,
                          cgroup::Bytes limit = 100 * kMiB) {
  Reading reading;
  reading.at = at;
  reading.has_sample = true;
  reading.sample.current = used_mib * kMiB;
  reading.sample.stat.inactive_file = 0;
  reading.sample.limit = limit;
  reading.limit = limit;
  reading.limit_source = cgroup::LimitSource::own;
  return reading;
}

inline Nanoseconds ms(std::int64_t value) { return std::chrono::milliseconds(value); }

}  // namespace oomdrill::probe::fake
