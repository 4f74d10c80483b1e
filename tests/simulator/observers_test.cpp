#include "observers.h"

#include <gtest/gtest.h>

#include "explain.h"

namespace oomdrill::simulator {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

/// facts.md, 4: a memfd leak of 128 MiB, as measured on v1.
cgroup::Sample memfd_leak() {
  cgroup::Sample sample;
  sample.current = 136'000'000;
  sample.stat.file = 134'217'728;
  sample.stat.shmem = 134'217'728;
  sample.stat.inactive_file = 0;
  sample.stat.anon = 1'000'000;
  return sample;
}

TEST(Observers, TheBlindSpot) {
  const cgroup::Sample sample = memfd_leak();
  EXPECT_EQ(shown(Observer::cgroup, sample, 7), 136'000'000u);
  EXPECT_EQ(shown(Observer::rss, sample, 7), 7u);
  EXPECT_EQ(shown(Observer::docker, sample, 7), 136'000'000u);
  EXPECT_EQ(shown(Observer::kubelet, sample, 7), 136'000'000u);
  EXPECT_EQ(shown(Observer::ecs_v1, sample, 7), 136'000'000u - 134'217'728u);
  EXPECT_EQ(shown(Observer::ecs_v2, sample, 7), 136'000'000u);
}

TEST(Observers, AnAbsentCounterIsNotShown) {
  cgroup::Sample sample;
  sample.current = kMiB;
  EXPECT_EQ(shown(Observer::cgroup, sample, std::nullopt), kMiB);
  for (const Observer each :
       {Observer::rss, Observer::docker, Observer::kubelet, Observer::ecs_v1, Observer::ecs_v2}) {
    EXPECT_EQ(shown(each, sample, std::nullopt), std::nullopt);
  }
}

TEST(Observers, DockerFallsBackToTheUsageWhereTheKubeletShowsNothing) {
  cgroup::Sample sample;
  sample.current = kMiB;
  sample.stat.inactive_file = kMiB;
  EXPECT_EQ(shown(Observer::docker, sample, 0), kMiB);
  EXPECT_EQ(shown(Observer::kubelet, sample, 0), 0u);
}

TEST(EcsUtilization, CountsWholeMebibytes) {
  EXPECT_EQ(cgroup::ecs_utilization(10 * kMiB - 1, 100 * kMiB), 9.0);
  EXPECT_EQ(cgroup::ecs_utilization(10 * kMiB, 100 * kMiB), 10.0);
  EXPECT_EQ(cgroup::ecs_utilization(10 * kMiB, std::nullopt), std::nullopt);
  EXPECT_EQ(cgroup::ecs_utilization(std::nullopt, kMiB), std::nullopt);
}

TEST(Proof, ComparesTheClaimedCounterOnly) {
  cgroup::Sample before = memfd_leak();
  const Proof proof({.counter = memory::Counter::shmem, .overhead = 0.01}, before);
  cgroup::Sample now = with(before, memory::Counter::shmem, 100 * kMiB);
  EXPECT_EQ(proof.charged(now), 100 * kMiB);
  EXPECT_EQ(proof.as_claimed(now, 100 * kMiB, 100 * kMiB), true);
  EXPECT_EQ(proof.as_claimed(now, 105 * kMiB, 105 * kMiB), false);
  EXPECT_EQ(proof.as_claimed(now, 94 * kMiB, 94 * kMiB), false);
  // The same bytes elsewhere are not what was claimed.
  now = with(before, memory::Counter::anon, 100 * kMiB);
  EXPECT_EQ(proof.charged(now), 0u);
  EXPECT_EQ(proof.as_claimed(now, 100 * kMiB, 100 * kMiB), false);
  now.stat.shmem.reset();
  EXPECT_EQ(proof.as_claimed(now, 100 * kMiB, 100 * kMiB), std::nullopt);
}

TEST(Proof, AnAllocatorMayKeepWhatIsFreed) {
  const cgroup::Sample before = memfd_leak();
  const cgroup::Sample now = with(before, memory::Counter::anon, 100 * kMiB);
  for (const bool keeps : {true, false}) {
    const Proof proof({.counter = memory::Counter::anon, .keeps = keeps}, before);
    EXPECT_EQ(proof.as_claimed(now, 50 * kMiB, 100 * kMiB), keeps);
    EXPECT_EQ(proof.as_claimed(now, 50 * kMiB, 90 * kMiB), false);
  }
}

TEST(Proof, OfNothingIsThatTheUsageStays) {
  const cgroup::Sample before = memfd_leak();
  const Proof proof({.counter = memory::Counter::none}, before);
  EXPECT_EQ(proof.as_claimed(before, 100 * kMiB, 100 * kMiB), true);
  EXPECT_EQ(
      proof.as_claimed(with(before, memory::Counter::anon, 100 * kMiB), 100 * kMiB, 100 * kMiB),
      false);
}

std::string explained(const char* kind) {
  const auto choice = memory::parse_kind(memory::kinds(), kind);
  EXPECT_TRUE(choice) << choice.error().line();
  return choice ? explain(*choice) : "";
}

struct Line {
  const char* kind;
  const char* text;
};
class Explain : public testing::TestWithParam<Line> {};

TEST_P(Explain, Says) {
  const std::string text = explained(GetParam().kind);
  EXPECT_NE(text.find(GetParam().text), std::string::npos) << text;
}

INSTANTIATE_TEST_SUITE_P(
    Lines, Explain,
    testing::Values(
        Line{"memfd", "ECS on cgroup v1    (usage - cache) shows nothing: it is part of the cache"},
        Line{"memfd", "ECS on cgroup v2    (usage - inactive_file) shows 128.0 MiB"},
        Line{"memfd", "process RSS         (pages that it has mapped) shows nothing"},
        Line{"memfd", "the blind spot"},
        Line{"shm", "process RSS         (pages that it has mapped) shows 128.0 MiB"},
        Line{"anon", "ECS on cgroup v1    (usage - cache) shows 128.0 MiB"},
        Line{"file", "docker stats        (usage - inactive_file) shows nothing"},
        Line{"file", "cgroup usage        (what the limit is held against) shows 128.0 MiB"},
        Line{"kernel:sockets", "up to 13 %: the sockets"},
        Line{"untouched", "cgroup usage        (what the limit is held against) shows nothing"},
        Line{"fork", "mapped into other processes"}));

TEST(Explain, EveryKindHasAllObservers) {
  for (const memory::Kind& kind : memory::kinds()) {
    const std::string text = explain({&kind, {}});
    for (const ObserverInfo& each : observers()) {
      EXPECT_NE(text.find(each.name), std::string::npos) << kind.name;
    }
  }
}

}  // namespace
}  // namespace oomdrill::simulator
