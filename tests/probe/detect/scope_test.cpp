#include "detect/scope.h"

#include <gtest/gtest.h>

namespace oomdrill::probe {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kGiB = 1 << 30;

cgroup::Counters counters(cgroup::Count oom, std::uint64_t kill, cgroup::Count max = 0,
                          cgroup::Count group = std::nullopt) {
  cgroup::Counters out;
  out.oom = oom;
  out.oom_kill = kill;
  out.max = max;
  out.oom_group_kill = group;
  return out;
}

KillEvidence v2(cgroup::Counters own_after, cgroup::Counters hierarchical_after) {
  KillEvidence e;
  e.version = cgroup::Version::v2;
  e.counters.own_before = counters(0, 0, 0, 0);
  e.counters.hierarchical_before = counters(0, 0, 0, 0);
  e.counters.own_after = own_after;
  e.counters.hierarchical_after = hierarchical_after;
  e.counters.kills = *hierarchical_after.oom_kill;
  e.host_bytes = 8 * kGiB;
  e.host_available = 4 * kGiB;
  return e;
}

KillEvidence v1(cgroup::Bytes own_limit, std::uint64_t used, std::uint64_t peak_before,
                std::uint64_t peak_after) {
  KillEvidence e;
  e.version = cgroup::Version::v1;
  e.counters.kills = 1;
  e.counters.own_before = counters(std::nullopt, 0);
  e.counters.own_after = counters(std::nullopt, 1);
  e.own_limit = own_limit;
  e.used_before = used;
  e.peak_before = peak_before;
  e.peak_after = peak_after;
  e.charge_slack = 512 << 10;
  e.host_bytes = 8 * kGiB;
  e.host_available = 4 * kGiB;
  return e;
}

void expect(const KillEvidence& evidence, Scope scope, Confidence confidence, const char* what) {
  const auto verdict = classify(evidence);
  EXPECT_EQ(name(verdict.scope), name(scope)) << what;
  EXPECT_EQ(name(verdict.confidence), name(confidence)) << what;
}

// The three measured rows of facts.md, 2.
TEST(ScopeV2, TheOomCounterTellsTheOwnLimit) {
  expect(v2(counters(1, 1, 72, 0), counters(1, 1, 72, 0)), Scope::own_limit, Confidence::certain,
         "own limit");
  auto task = v2(counters(0, 1, 0, 0), counters(0, 1, 0, 0));
  task.limits_complete = false;
  expect(task, Scope::ancestor_limit, Confidence::likely, "the task's limit, hidden from here");
  auto equal = task;
  equal.own_limit = 64 * kMiB;
  expect(equal, Scope::ancestor_limit, Confidence::likely, "both limits equal");
}

TEST(ScopeV2, AGroupKillCountsMoreKillsThanOoms) {
  expect(v2(counters(1, 3, 9, 1), counters(1, 3, 9, 1)), Scope::own_limit, Confidence::certain,
         "oom.group");
  expect(v2(counters(1, 3, 9, 0), counters(1, 3, 9, 0)), Scope::own_limit, Confidence::likely,
         "two of three kills may be another limit's");
}

TEST(ScopeV2, TheRestOfAGroupIsTheLimitsThatTookTheFirst) {
  KillEvidence rest = v2(counters(0, 2, 0, 1), counters(0, 2, 0, 1));
  rest.limits_complete = false;
  expect(rest, Scope::ancestor_limit, Confidence::likely, "alone");
  rest.rest_of_own_group = true;
  expect(rest, Scope::own_limit, Confidence::likely, "after the first");
}

TEST(ScopeV2, AnOomBelowIsNotTheOwnLimit) {
  expect(v2(counters(0, 0, 0, 0), counters(1, 1, 5, 0)), Scope::descendant_limit,
         Confidence::likely, "a nested cgroup's limit");
  auto without_local = v2({}, counters(1, 1, 5, 0));
  without_local.counters.own_before = {};
  expect(without_local, Scope::own_limit, Confidence::certain,
         "memory.events alone, Linux before 5.2");
}

TEST(ScopeV2, BeyondTheOwnLimitTheHostsMemoryDecides) {
  auto e = v2(counters(0, 1), counters(0, 1));
  e.limits_complete = false;
  e.host_available = 100 * kMiB;
  expect(e, Scope::host, Confidence::likely, "the host is exhausted");
  e.outer_limit = 1 * kGiB;
  expect(e, Scope::host, Confidence::likely, "though a task limit is known");
  e.host_available = 4 * kGiB;
  expect(e, Scope::ancestor_limit, Confidence::likely, "a known task limit");
  e.outer_limit.reset();
  e.host_available.reset();
  expect(e, Scope::unknown, Confidence::unknown, "nothing is known of the host");
  e.limits_complete = true;
  expect(e, Scope::host, Confidence::likely, "no limit anywhere");
}

TEST(ScopeV2, WithoutAnOomCounterNothingIsClaimed) {
  auto e = v2(counters(std::nullopt, 1), counters(std::nullopt, 1));
  e.counters.own_before.oom.reset();
  e.counters.hierarchical_before.oom.reset();
  expect(e, Scope::unknown, Confidence::unknown, "no oom counter");
}

TEST(ScopeV1, APeakThatHasJustReachedTheLimitProvesIt) {
  expect(v1(64 * kMiB, 50 * kMiB, 50 * kMiB, 64 * kMiB), Scope::own_limit, Confidence::certain,
         "peak at the limit");
  expect(v1(64 * kMiB, 50 * kMiB, 50 * kMiB, 64 * kMiB - (300 << 10)), Scope::own_limit,
         Confidence::certain, "within the charge batches of the CPUs");
  auto tie = v1(64 * kMiB, 50 * kMiB, 50 * kMiB, 64 * kMiB);
  tie.outer_limit = 64 * kMiB;
  expect(tie, Scope::own_limit, Confidence::likely, "an ancestor has the same limit");
}

TEST(ScopeV1, AnOldPeakIsPageCachesAsMuchAsAnyones) {
  expect(v1(64 * kMiB, 63 * kMiB, 64 * kMiB, 64 * kMiB), Scope::own_limit, Confidence::likely,
         "full of page cache since long");
  auto elsewhere = v1(64 * kMiB, 20 * kMiB, 64 * kMiB, 64 * kMiB);
  elsewhere.outer_limit = 1 * kGiB;
  expect(elsewhere, Scope::ancestor_limit, Confidence::likely, "far below at the last look");
  elsewhere.outer_limit.reset();
  expect(elsewhere, Scope::own_limit, Confidence::likely, "a burst: nothing else limits");
  elsewhere.host_available = 10 * kMiB;
  expect(elsewhere, Scope::host, Confidence::likely, "unless the host is exhausted");
  auto hit = v1(64 * kMiB, 20 * kMiB, 64 * kMiB, 64 * kMiB);
  hit.outer_limit = 1 * kGiB;
  hit.counters.own_after.max = 40;
  expect(hit, Scope::own_limit, Confidence::likely, "failcnt rose");
}

TEST(ScopeV1, FarBelowTheOwnLimitItIsAnAncestorsOrTheHosts) {
  auto task = v1(std::nullopt, 60 * kMiB, 60 * kMiB, 64 * kMiB);
  task.outer_limit = 64 * kMiB;
  expect(task, Scope::ancestor_limit, Confidence::likely, "hierarchical_memory_limit");
  auto lower = v1(512 * kMiB, 60 * kMiB, 60 * kMiB, 64 * kMiB);
  lower.outer_limit = 256 * kMiB;
  expect(lower, Scope::ancestor_limit, Confidence::likely, "siblings used the rest");
  expect(v1(512 * kMiB, 60 * kMiB, 60 * kMiB, 64 * kMiB), Scope::host, Confidence::likely,
         "no limit is near");
}

}  // namespace
}  // namespace oomdrill::probe
