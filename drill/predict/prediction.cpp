#include "predict/prediction.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "predict/footprint.h"

namespace oomdrill::predict {
namespace {

/// A plan that stays below the limit may have no end; this many steps take about a second, as
/// many blocks in the model of the heap two.
constexpr std::uint64_t kMostSteps = 20'000'000;
/// A heap up to this size is modelled block by block, a larger one in proportion.
constexpr std::uint64_t kWholeHeap = std::uint64_t{128} << 20;

/// The kernel charges a cgroup for 64 pages a CPU ahead of their use and takes them back before it
/// kills. Measured at a leak's start: 278,528 bytes more than anonymous, file and kernel memory.
constexpr std::uint64_t kChargedAhead = 64 * 4096;

/// The plan that leaksim carried out. Its text says all but what --rate gave to a leaksim that did
/// not write it in: then the plan's own rate is another than leak.started tells, which for an
/// unpaced one is none.
Result<std::unique_ptr<plan::Plan>> make_plan(const Leak& leak) {
  const auto finite = [](std::optional<double> rate) {
    return rate && std::isfinite(*rate) ? rate : std::nullopt;
  };
  const auto told = finite(leak.rate_bytes_per_s);
  auto plan = plan::make_plan(leak.pattern, {}, leak.seed);
  if (!plan) return plan;
  const auto own = finite((*plan)->nominal_rate());
  const bool agree =
      own.has_value() == told.has_value() && (!own || std::abs(*own - *told) <= *told * 1e-3);
  if (agree) return plan;
  return plan::make_plan(leak.pattern, {{"rate", told ? fmt::format("{:.3f}", *told) : "max"}},
                         leak.seed);
}

}  // namespace

std::string_view name(Prediction::End end) {
  switch (end) {
    case Prediction::End::oom_kill:
      return "oom_killed";
    case Prediction::End::until:
      return "until";
    case Prediction::End::max_bytes:
      return "max_bytes";
    case Prediction::End::duration:
      return "duration";
    case Prediction::End::plan_ended:
      return "plan_ended";
    case Prediction::End::beyond_horizon:
      return "beyond_horizon";
  }
  return "unknown";
}

Result<Prediction> predict(
    const Leak& leak, Nanoseconds horizon,
    const std::function<void(Nanoseconds at, std::uint64_t used_bytes)>& on_step) {
  auto plan = make_plan(leak);
  if (!plan) return fail(std::move(plan.error()));

  plan::Totals totals;
  Footprint footprint(std::max<std::uint64_t>(1, leak.limit_bytes / kWholeHeap));
  Prediction result;
  for (std::uint64_t steps = 0; steps + footprint.operations() < kMostSteps; ++steps) {
    const auto step = (*plan)->next();
    if (!step) {
      result.end = Prediction::End::plan_ended;
      return result;
    }
    if (leak.duration && step->due > *leak.duration) {
      result.end = Prediction::End::duration;
      result.after = *leak.duration;
      return result;
    }
    if (step->due > horizon) {
      result.after = horizon;
      break;
    }
    totals.apply(*step);
    footprint.apply(*step);
    result.after = step->due;
    result.live_bytes = leak.times * totals.live();
    const std::uint64_t used = leak.used_bytes + leak.times * footprint.bytes();
    if (on_step) on_step(step->due, used);
    if (leak.max_bytes && totals.live() > *leak.max_bytes) {
      result.end = Prediction::End::max_bytes;
      return result;
    }
    if (used - std::min(leak.used_bytes, leak.cache_bytes + kChargedAhead) > leak.limit_bytes) {
      result.end = Prediction::End::oom_kill;
      return result;
    }
    if (leak.until_bytes && used >= *leak.until_bytes) {
      result.end = Prediction::End::until;
      return result;
    }
  }
  result.end = Prediction::End::beyond_horizon;
  return result;
}

}  // namespace oomdrill::predict
