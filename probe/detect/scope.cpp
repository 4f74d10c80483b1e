#include "detect/scope.h"

namespace oomdrill::probe {
namespace {

std::uint64_t rise(cgroup::Count before, cgroup::Count after) {
  return before && after && *after > *before ? *after - *before : 0;
}

/// The kernel reclaims down to its watermarks before it kills: next to nothing is available then.
bool host_exhausted(const KillEvidence& e) {
  constexpr std::uint64_t kPart = 20;
  return e.host_available && e.host_bytes && *e.host_available < *e.host_bytes / kPart;
}

/// The kill was not the own limit's.
ScopeVerdict beyond(const KillEvidence& e) {
  if (host_exhausted(e)) return {Scope::host, Confidence::likely};
  if (e.outer_limit) return {Scope::ancestor_limit, Confidence::likely};
  // Nothing above sets a limit, so the machine did, whatever was free a moment later.
  if (e.limits_complete) return {Scope::host, Confidence::likely};
  if (e.host_available && e.host_bytes) return {Scope::ancestor_limit, Confidence::likely};
  return {Scope::unknown, Confidence::unknown};
}

ScopeVerdict classify_v2(const KillEvidence& e) {
  const OomKilled& c = e.counters;
  const auto local = rise(c.own_before.oom, c.own_after.oom);
  const auto below = rise(c.hierarchical_before.oom, c.hierarchical_after.oom);
  const bool has_local = c.own_before.oom && c.own_after.oom;
  if (!has_local && !(c.hierarchical_before.oom && c.hierarchical_after.oom)) {
    return {Scope::unknown, Confidence::unknown};
  }
  const auto oom = has_local ? local : below;
  if (oom > 0) {
    // One oom ends in one kill, or in one group kill.
    const bool covers =
        oom >= c.kills || rise(c.before().oom_group_kill, c.after().oom_group_kill) > 0;
    return {Scope::own_limit, covers ? Confidence::certain : Confidence::likely};
  }
  // One oom, told with the first of the group.
  if (e.rest_of_own_group) return {Scope::own_limit, Confidence::likely};
  if (below > 0) return {Scope::descendant_limit, Confidence::likely};
  return beyond(e);
}

ScopeVerdict classify_v1(const KillEvidence& e) {
  if (!e.own_limit) return beyond(e);
  const std::uint64_t reached =
      *e.own_limit > e.charge_slack ? *e.own_limit - e.charge_slack : *e.own_limit;
  const bool at_limit = e.peak_after ? *e.peak_after >= reached : e.used_before >= reached;
  if (!at_limit) return beyond(e);
  // Page cache alone brings a peak up to the limit; only one that was reached just now proves it.
  const bool just_now = e.peak_before && *e.peak_before < reached;
  const bool tie = e.outer_limit && *e.outer_limit <= *e.own_limit;
  if (just_now && !tie) return {Scope::own_limit, Confidence::certain};
  const bool near = e.used_before >= *e.own_limit / 10 * 9;
  const bool hit = rise(e.counters.own_before.max, e.counters.own_after.max) > 0;
  if (just_now || near || hit) return {Scope::own_limit, Confidence::likely};
  // The peak is old and nothing was near the limit at the last look: a burst, or another's limit.
  if (host_exhausted(e) || e.outer_limit) return beyond(e);
  return {Scope::own_limit, Confidence::likely};
}

}  // namespace

std::string_view name(Scope scope) {
  switch (scope) {
    case Scope::own_limit:
      return "own_limit";
    case Scope::descendant_limit:
      return "descendant_limit";
    case Scope::ancestor_limit:
      return "ancestor_limit";
    case Scope::host:
      return "host";
    case Scope::unknown:
      break;
  }
  return "unknown";
}

std::string_view name(Confidence confidence) {
  switch (confidence) {
    case Confidence::certain:
      return "certain";
    case Confidence::likely:
      return "likely";
    case Confidence::unknown:
      break;
  }
  return "unknown";
}

ScopeVerdict classify(const KillEvidence& evidence) {
  return evidence.version == cgroup::Version::v2 ? classify_v2(evidence) : classify_v1(evidence);
}

}  // namespace oomdrill::probe
