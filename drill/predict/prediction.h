#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/units.h"
#include "plan/plan.h"

namespace oomdrill::predict {

/// What a leak is and where it starts from.
struct Leak {
  std::string pattern;                          ///< as plan::make_plan takes it
  std::optional<double> rate_bytes_per_s = {};  ///< nullopt: unpaced, as leak.started says it
  std::uint64_t seed = 0;
  std::uint64_t used_bytes = 0;   ///< of the cgroup, when it starts
  std::uint64_t cache_bytes = 0;  ///< the part of it that the kernel takes back at the limit
  std::uint64_t limit_bytes = 0;  ///< that binds
  std::optional<std::uint64_t> until_bytes = {};  ///< it stops when the cgroup uses that much
  std::optional<std::uint64_t> max_bytes = {};    ///< it stops when it holds that much
  std::optional<Nanoseconds> duration = {};       ///< it stops after that
  std::uint64_t times = 1;                        ///< so many of it at once, in one cgroup
};

struct Prediction {
  enum class End { oom_kill, until, max_bytes, duration, plan_ended, beyond_horizon };
  End end = End::oom_kill;
  Nanoseconds after{0};  ///< since the leak's start, in virtual time
  std::uint64_t live_bytes = 0;
};

std::string_view name(Prediction::End end);

/// Runs the very plan that leaksim carries out, in virtual time and without allocating, until the
/// cgroup would be full, the leak would stop by itself, or `horizon` is over.
/// `on_step`, where given, sees what the cgroup uses from each step on.
/// Error: the pattern is unknown or its settings are wrong.
Result<Prediction> predict(
    const Leak& leak, Nanoseconds horizon,
    const std::function<void(Nanoseconds at, std::uint64_t used_bytes)>& on_step = {});

}  // namespace oomdrill::predict
