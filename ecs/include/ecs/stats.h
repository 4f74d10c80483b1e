#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/units.h"

/// `<endpoint>/task/stats`: what the engine's statistics say of each container of the task.
namespace oomdrill::ecs {

/// memory_stats of Docker's JSON, bytes. Absent is absent, never 0.
struct MemoryStats {
  std::uint64_t usage = 0;
  std::optional<std::uint64_t> max_usage;  ///< v1 only
  /// Of the container; where it has none, the host's memory (Docker) or about 2^63 (Fargate).
  std::optional<std::uint64_t> limit;
  /// v1: hits of the limit; v2: `oom` of memory.events, which counts no kills (facts.md, 3).
  std::optional<std::uint64_t> failcnt;
  /// The counters of `stats` as memory.stat writes them, "anon 4096\n…".
  std::string stat;
  /// 1 or 2, by the names in `stat`; nullopt: it has neither's.
  std::optional<int> cgroup_version;
};

struct ContainerStats {
  std::string docker_id;
  /// nullopt: the endpoint has none, as of a container that has stopped or not begun yet.
  std::optional<MemoryStats> memory;
};

/// By id; one longer than any engine makes is passed over. A container that is null or has no usage
/// is one without `memory`; what has the wrong type is as if missing. Error: it is no JSON object.
Result<std::vector<ContainerStats>> parse_stats(std::string_view json);

/// GETs and parses them. Error: URL, and what went wrong within `timeout`.
Result<std::vector<ContainerStats>> fetch_stats(const std::string& endpoint, Nanoseconds timeout);

}  // namespace oomdrill::ecs
