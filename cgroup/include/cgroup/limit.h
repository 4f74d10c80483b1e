#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cgroup/location.h"

namespace oomdrill::cgroup {

/// Where a limit was read; names as events show them.
enum class LimitSource {
  own,            ///< the cgroup's own memory.max / memory.limit_in_bytes
  ancestor,       ///< a visible ancestor's
  hierarchical,   ///< v1 memory.stat hierarchical_memory_limit: an ancestor's, visible or not
  ecs_container,  ///< the ECS metadata endpoint's container limit
  ecs_task,       ///< the ECS metadata endpoint's task limit
  host,           ///< MemTotal
  unknown         ///< nothing was found
};

std::string_view name(LimitSource);

struct LimitCandidate {
  LimitSource source = LimitSource::unknown;
  std::optional<std::uint64_t> bytes;  ///< nullopt: "max", the source sets no limit
  std::string where;                   ///< the file or URL it was read from
};

/// The least of the candidates, with its provenance.
struct EffectiveLimit {
  std::optional<std::uint64_t> bytes;  ///< nullopt: no candidate sets a limit
  LimitSource source = LimitSource::unknown;
  std::string where;
  /// False where a lower limit may bind that cannot be read from here (v2 in a private namespace
  /// without a metadata endpoint).
  bool complete = true;
  std::vector<LimitCandidate> considered;

  /// The host's memory stands for "no limit": the kernel's OOM killer, not a cgroup, ends growth.
  [[nodiscard]] bool is_cgroup_limit() const {
    return bytes.has_value() && source != LimitSource::host && source != LimitSource::unknown;
  }
};

/// Own, ancestors, hierarchical and host. A file that is absent adds no candidate; one that does
/// not parse is an error. ECS candidates are the caller's to add.
Result<std::vector<LimitCandidate>> collect_limits(const FileRoot& root, const Location& location);

/// On a tie the nearer source wins: own before ancestor before endpoint before host.
/// `ancestors_hidden`: as Location says; with no ecs candidate the result is then incomplete.
EffectiveLimit resolve_limit(std::vector<LimitCandidate> candidates, bool ancestors_hidden);

/// "max" and v1's "unlimited" (INT64_MAX rounded down to any page size) are nullopt.
Result<std::optional<std::uint64_t>> parse_limit(std::string_view text, std::string_view where);

/// MemTotal in bytes.
Result<std::uint64_t> parse_mem_total(std::string_view meminfo, std::string_view where);

}  // namespace oomdrill::cgroup
