#pragma once

#include <string_view>

/// Kernel file names of cgroup v2 (Documentation/admin-guide/cgroup-v2).
namespace oomdrill::cgroup::v2 {

inline constexpr std::string_view kController = "memory";

inline constexpr std::string_view kUsage = "memory.current";
inline constexpr std::string_view kPeak = "memory.peak";
inline constexpr std::string_view kLimit = "memory.max";
inline constexpr std::string_view kSoftLimit = "memory.low";
inline constexpr std::string_view kSwapUsage = "memory.swap.current";
inline constexpr std::string_view kStat = "memory.stat";
inline constexpr std::string_view kEvents = "memory.events";
inline constexpr std::string_view kEventsLocal = "memory.events.local";
inline constexpr std::string_view kPressure = "memory.pressure";
inline constexpr std::string_view kControllers = "cgroup.controllers";

/// In every cgroup but the root of the hierarchy; memory.* only where the controller is enabled.
inline constexpr std::string_view kNeverInRoot[] = {"cgroup.events", "cgroup.type", kUsage, kLimit};

}  // namespace oomdrill::cgroup::v2
