#pragma once

#include <string_view>

/// Kernel file names of cgroup v1's memory controller (Documentation/admin-guide/cgroup-v1).
namespace oomdrill::cgroup::v1 {

inline constexpr std::string_view kController = "memory";

inline constexpr std::string_view kUsage = "memory.usage_in_bytes";
inline constexpr std::string_view kPeak = "memory.max_usage_in_bytes";
inline constexpr std::string_view kLimit = "memory.limit_in_bytes";
inline constexpr std::string_view kSoftLimit = "memory.soft_limit_in_bytes";
inline constexpr std::string_view kMemoryAndSwapUsage = "memory.memsw.usage_in_bytes";
inline constexpr std::string_view kKernelUsage = "memory.kmem.usage_in_bytes";
inline constexpr std::string_view kStat = "memory.stat";
inline constexpr std::string_view kOomControl = "memory.oom_control";
inline constexpr std::string_view kLimitHits = "memory.failcnt";
inline constexpr std::string_view kUseHierarchy = "memory.use_hierarchy";

/// In the root cgroup of a hierarchy and nowhere else.
inline constexpr std::string_view kOnlyInRoot[] = {"release_agent", "cgroup.sane_behavior"};

}  // namespace oomdrill::cgroup::v1
