#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "cgroup/location.h"
#include "cgroup/sample.h"
#include "detect/finding.h"

namespace oomdrill::probe {

/// Whose limit an OOM kill enforced.
enum class Scope {
  own_limit,         ///< the watched cgroup's
  descendant_limit,  ///< that of a cgroup below it
  ancestor_limit,    ///< the task's, the pod's, a slice's
  host,              ///< none: the machine ran out
  unknown
};
enum class Confidence { certain, likely, unknown };

std::string_view name(Scope);
std::string_view name(Confidence);

/// What is known about a kill, from the looks before and after it.
struct KillEvidence {
  cgroup::Version version = cgroup::Version::v2;
  OomKilled counters;
  cgroup::Bytes own_limit;
  cgroup::Bytes outer_limit;  ///< Subject::outer_limit
  bool limits_complete = true;
  /// Part of a group kill whose first kills were told moments ago as the own limit's.
  bool rest_of_own_group = false;
  std::uint64_t used_before = 0;
  cgroup::Bytes peak_before, peak_after;
  std::uint64_t charge_slack = 0;
  cgroup::Bytes host_available;  ///< the lower of before and after
  cgroup::Bytes host_bytes;
};

struct ScopeVerdict {
  Scope scope = Scope::unknown;
  Confidence confidence = Confidence::unknown;
};

/// v2 tells an own limit by the `oom` counter (facts.md, 2); v1 has none, so there it goes by peak
/// usage. Beyond the own limit, known limits and the host's free memory decide.
ScopeVerdict classify(const KillEvidence& evidence);

}  // namespace oomdrill::probe
