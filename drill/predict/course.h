#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "alarm/metrics.h"
#include "base/clock.h"
#include "predict/prediction.h"

/// What would be seen of a leak: the probe's samples in virtual time.
namespace oomdrill::predict {

/// How much of the leak each observer counts.
struct Visibility {
  /// The leak is shared memory (memfd, tmpfs, shm), which the kernel calls cache.
  bool shared = false;
  /// On v1 the ECS agent leaves all cache out, shared memory with it.
  bool cgroup_v1 = false;
  /// A leak that stops gives all back.
  bool released = false;
};

/// Percent of the limit.
constexpr std::array kLevels = {75.0, 85.0, 95.0};

/// A predicted leak with its samples.
struct Course {
  Leak leak;
  Visibility visibility;
  Nanoseconds interval{0};
  Prediction prediction;
  std::vector<std::uint64_t> used_bytes;  ///< at each multiple of the interval, until the end

  /// As the ECS agent has it: whole MiB in percent of the limit.
  [[nodiscard]] double memory_utilization(std::uint64_t used) const;
  [[nodiscard]] std::uint64_t shared_bytes(std::uint64_t used) const;
  /// When each of kLevels is first passed, to the step; nullopt: never.
  std::array<std::optional<Nanoseconds>, kLevels.size()> kernel_passes = {};
  std::array<std::optional<Nanoseconds>, kLevels.size()> utilization_passes = {};
};

/// Error: as predict(), or an interval that makes more samples than memory should hold.
Result<Course> predict_course(const Leak& leak, const Visibility& visibility, Nanoseconds interval,
                              Nanoseconds horizon);

/// Puts the samples of a course that begins at `start` into what alarms see: memory.sample at each
/// interval, memory.growth once a minute, memory.oom_kill.
void note_course(const Course& course, WallTime start, alarm::SeriesSet& series);

}  // namespace oomdrill::predict
