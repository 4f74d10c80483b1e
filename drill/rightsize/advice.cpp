#include "rightsize/advice.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/units.h"
#include "run/summary.h"

namespace oomdrill::rightsize {
namespace {

using recording::Run;

constexpr std::uint64_t kMiB = 1U << 20U;
constexpr double kGiB = 1073741824.0;
/// The least that Docker takes: "The Docker 20.10.0 or later daemon reserves a minimum of 6 MiB of
/// memory for a container. So, don't specify less" (ECS API, ContainerDefinition, memory).
constexpr std::uint64_t kLeast = 6 * kMiB;
/// Fewer samples than this, or less time, show no peak.
constexpr std::uint64_t kLeastSamples = 30;
/// A limit within this of the recommendation is right as it is.
constexpr double kClose = 0.1;

constexpr std::array<std::string_view, 5> kNames = {"keep", "shrink", "grow", "fix_the_leak",
                                                    "too_little"};

constexpr std::array<std::string_view, 5> kWords = {"keep it", "shrink it", "grow it",
                                                    "fix the leak", "too little is known"};

std::uint64_t whole_mib(double bytes) {
  return static_cast<std::uint64_t>(std::ceil(bytes / static_cast<double>(kMiB))) * kMiB;
}

struct Group {
  Advice advice;
  recording::Histogram working_set;
  std::vector<const Run*> runs;
};

void conclude(Group& group, const Margin& margin) {
  Advice& advice = group.advice;
  const auto& histogram = group.working_set;
  advice.samples = histogram.count();
  advice.p50_bytes = histogram.percentile(50).value_or(0);
  advice.p95_bytes = histogram.percentile(95).value_or(0);
  advice.p99_bytes = histogram.percentile(99).value_or(0);
  advice.peak_bytes = histogram.percentile(100).value_or(0);
  bool cut_short = false;
  bool cut_known = false;
  for (const Run* run : group.runs) {
    const trend::Trend trend = trend::classify(*run);
    if (run->account.kills_total > 0 || run->killed()) {
      const bool known = trend.pattern != trend::Pattern::too_short;
      cut_known = cut_known || known;
      cut_short = cut_short || !known;
    }
    if (!trend.leaks()) continue;
    // No size is right for what grows: none is recommended. Fewer samples than a peak needs show
    // it.
    advice.verdict = Verdict::fix_the_leak;
    advice.why = fmt::format("it leaks ({}): {}", words(trend.pattern), trend.why);
    advice.memory_bytes = advice.limit_bytes.value_or(0);
    advice.reserve_bytes = advice.reservation_bytes.value_or(0);
    return;
  }
  if (advice.samples < kLeastSamples) {
    advice.why = trend::too_few(advice.samples, kLeastSamples);
    return;
  }
  if (cut_short && !cut_known) {
    advice.why = fmt::format("{} cut the peak, and too few samples tell whether it leaks",
                             run::plural(advice.kills, "OOM kill"));
    return;
  }
  const double factor = 1 + margin.percent / 100;
  advice.memory_bytes = whole_mib(static_cast<double>(advice.peak_bytes) * factor);
  advice.reserve_bytes = whole_mib(static_cast<double>(advice.p95_bytes) * factor);
  advice.reserve_bytes = std::min(advice.reserve_bytes, advice.memory_bytes);
  std::string basis = fmt::format("its peak of {} and {:g} % above",
                                  format_bytes(advice.peak_bytes), margin.percent);
  if (advice.memory_bytes < kLeast) {
    basis = fmt::format("the least that Docker takes, above {}", basis);
    advice.memory_bytes = kLeast;
  }
  advice.reserve_bytes = std::max(advice.reserve_bytes, kLeast);
  const std::uint64_t now = advice.limit_bytes.value_or(0);
  std::uint64_t then = advice.memory_bytes;
  advice.fargate = fargate_size(then, margin.cpu);
  std::string is_needed = basis;
  if (margin.fargate) {
    if (!advice.fargate) {
      advice.why = fmt::format("{} are more than Fargate sells", format_bytes(then));
      return;
    }
    then = std::uint64_t{advice.fargate->memory_mib} * kMiB;
    if (then > advice.memory_bytes) {
      is_needed = fmt::format("the least that Fargate sells{}, more than is needed: {} is {}",
                              margin.cpu > 0 ? fmt::format(" with {} CPU units", margin.cpu) : "",
                              format_bytes(advice.memory_bytes), basis);
    }
    advice.memory_bytes = then;
  }
  if (now == 0) {
    advice.verdict = Verdict::keep;
    advice.why = fmt::format("no limit was recorded; {} is {}", format_bytes(then), is_needed);
    return;
  }
  const double change = static_cast<double>(then) / static_cast<double>(now) - 1;
  if (advice.kills > 0) {
    advice.verdict = Verdict::grow;
    // At the limit the peak is cut: what it would have needed is not known.
    advice.memory_bytes = std::max(then, whole_mib(static_cast<double>(now) * factor));
    advice.fargate = fargate_size(advice.memory_bytes, margin.cpu);
    if (margin.fargate && advice.fargate) {
      advice.memory_bytes = std::uint64_t{advice.fargate->memory_mib} * kMiB;
    }
    advice.why = fmt::format("{}: its peak was cut at the limit; try more, and record again",
                             run::plural(advice.kills, "OOM kill"));
  } else if (then == now || (std::abs(change) <= kClose && !margin.fargate)) {
    advice.verdict = Verdict::keep;
    advice.memory_bytes = now;
    advice.why = is_needed == basis ? fmt::format("{} is right for {}", format_bytes(now), basis)
                                    : fmt::format("{} is {}", format_bytes(now), is_needed);
    return;
  } else {
    advice.verdict = change < 0 ? Verdict::shrink : Verdict::grow;
    advice.why = fmt::format("{} is {}", format_bytes(then), is_needed);
  }
  advice.saved_gib_per_hour =
      (static_cast<double>(now) - static_cast<double>(advice.memory_bytes)) / kGiB;
}

}  // namespace

std::string_view name(Verdict verdict) { return kNames[static_cast<std::size_t>(verdict)]; }
std::string_view words(Verdict verdict) { return kWords[static_cast<std::size_t>(verdict)]; }

std::string gib_hours(double gib) {
  return fmt::format("{:.3f} GiB of memory, {:.1f} GiB-hours a month of 730 h", std::abs(gib),
                     std::abs(gib) * 730);
}

std::vector<Advice> advise(const recording::Runs& runs, const Margin& margin) {
  std::vector<Group> groups;
  for (const Run& run : runs.all()) {
    const std::string& who = run.who.empty() ? run.recording : run.who;
    // Tasks come and go: what they have in common is the container's name.
    const std::string common = run.who.empty() ? who : who.substr(who.find('/') + 1);
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const Group& each) { return each.advice.who == common; });
    if (group == groups.end()) {
      group = groups.emplace(groups.end());
      group->advice.who = common;
    }
    group->runs.push_back(&run);
    group->working_set.add(run.working_set);
    group->advice.hours += run.duration_s() / 3600;
    // One that the probe did not live to tell is known by its verdict alone.
    group->advice.kills += std::max<std::uint64_t>(run.account.kills_total, run.killed() ? 1 : 0);
    if (run.limit_bytes) group->advice.limit_bytes = run.limit_bytes;
    if (run.reservation_bytes) group->advice.reservation_bytes = run.reservation_bytes;
  }
  std::vector<Advice> advice;
  for (Group& group : groups) {
    conclude(group, margin);
    advice.push_back(std::move(group.advice));
  }
  return advice;
}

}  // namespace oomdrill::rightsize
