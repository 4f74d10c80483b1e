#include "observers.h"

#include <array>
#include <cmath>

namespace oomdrill::simulator {
namespace {

using memory::Counter;

/// 64 pages for each of the CPUs of a usual machine, and the pages of leaksim itself.
constexpr std::uint64_t kSlack = std::uint64_t{2} << 20;
constexpr double kTolerance = 0.02;

constexpr std::array kObservers = {
    ObserverInfo{Observer::cgroup, "cgroup usage", "cgroup_bytes",
                 "what the limit is held against"},
    ObserverInfo{Observer::rss, "process RSS", "rss_bytes", "pages that it has mapped"},
    ObserverInfo{Observer::docker, "docker stats", "docker_bytes", "usage - inactive_file"},
    ObserverInfo{Observer::kubelet, "kubelet working set", "kubelet_bytes",
                 "usage - inactive_file"},
    ObserverInfo{Observer::ecs_v1, "ECS on cgroup v1", "ecs_v1_bytes", "usage - cache"},
    ObserverInfo{Observer::ecs_v2, "ECS on cgroup v2", "ecs_v2_bytes", "usage - inactive_file"}};

void add(std::optional<std::uint64_t>& counter, std::uint64_t bytes) {
  counter = counter.value_or(0) + bytes;
}

double rounded(double percent) { return std::round(percent * 100) / 100; }

}  // namespace

std::span<const ObserverInfo> observers() { return kObservers; }

std::optional<std::uint64_t> shown(Observer observer, const cgroup::Sample& sample,
                                   std::optional<std::uint64_t> rss) {
  switch (observer) {
    case Observer::cgroup:
      return sample.current;
    case Observer::rss:
      return rss;
    case Observer::docker:
      return cgroup::docker_used(sample);
    case Observer::kubelet:
      return cgroup::working_set(sample);
    case Observer::ecs_v1:
      return cgroup::ecs_used(sample, cgroup::Version::v1);
    case Observer::ecs_v2:
      return cgroup::ecs_used(sample, cgroup::Version::v2);
  }
  return std::nullopt;
}

void add_observers(telemetry::Event& event, const Observed& observed) {
  event.begin("observers");
  for (const ObserverInfo& each : kObservers) {
    event.number(each.field, shown(each.observer, observed.sample, observed.rss));
  }
  const auto percent = [&](std::string_view field, Observer observer) {
    const auto value =
        cgroup::ecs_utilization(shown(observer, observed.sample, observed.rss), observed.limit);
    if (value) event.real(field, rounded(*value));
  };
  percent("ecs_v1_percent", Observer::ecs_v1);
  percent("ecs_v2_percent", Observer::ecs_v2);
  event.end();
}

cgroup::Sample with(const cgroup::Sample& sample, Counter counter, std::uint64_t bytes) {
  cgroup::Sample more = sample;
  if (counter != Counter::none) more.current += bytes;
  switch (counter) {
    case Counter::none:
      break;
    case Counter::anon:
      add(more.stat.anon, bytes);
      break;
    case Counter::shmem:
      add(more.stat.shmem, bytes);
      add(more.stat.file, bytes);
      break;
    case Counter::file:
      add(more.stat.file, bytes);
      add(more.stat.inactive_file, bytes);
      break;
    case Counter::kernel:
      add(more.stat.kernel, bytes);
      break;
  }
  return more;
}

std::optional<std::uint64_t> counter_of(Counter counter, const cgroup::Sample& sample) {
  switch (counter) {
    case Counter::none:
      return sample.current;
    case Counter::anon:
      return sample.stat.anon;
    case Counter::shmem:
      return sample.stat.shmem;
    case Counter::file:
      return sample.stat.file;
    case Counter::kernel:
      return sample.stat.kernel;
  }
  return std::nullopt;
}

std::string_view name(Counter counter) {
  static constexpr std::array<std::string_view, 5> kNames = {"none", "anon", "shmem", "file",
                                                             "kernel"};
  return kNames[static_cast<std::size_t>(counter)];
}

Proof::Proof(const memory::Claim& claim, const cgroup::Sample& before)
    : claim_(claim), before_(counter_of(claim.counter, before)) {}

std::optional<std::uint64_t> Proof::charged(const cgroup::Sample& now) const {
  const auto value = counter_of(claim_.counter, now);
  if (!value || !before_) return std::nullopt;
  return *value > *before_ ? *value - *before_ : 0;
}

std::optional<bool> Proof::as_claimed(const cgroup::Sample& now, std::uint64_t live,
                                      std::uint64_t allocated) const {
  const auto bytes = charged(now);
  if (!bytes) return std::nullopt;
  if (claim_.counter == Counter::none) return *bytes <= kSlack;
  const auto slack = static_cast<double>(kSlack + claim_.granule);
  const double least = (1 - kTolerance) * static_cast<double>(live) - slack;
  const double most =
      (1 + kTolerance + claim_.overhead) * static_cast<double>(claim_.keeps ? allocated : live) +
      slack;
  const auto actual = static_cast<double>(*bytes);
  return actual >= least && actual <= most;
}

}  // namespace oomdrill::simulator
