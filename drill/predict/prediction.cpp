#include "predict/prediction.h"

#include <fmt/core.h>

#include <cmath>

#include "predict/footprint.h"

namespace oomdrill::predict {
namespace {

/// A plan that stays below the limit may have no end; this many steps take about a second.
constexpr std::uint64_t kMostSteps = 20'000'000;

}  // namespace

std::string_view name(Prediction::End end) {
  switch (end) {
    case Prediction::End::oom_kill:
      return "oom_killed";
    case Prediction::End::until:
      return "until";
    case Prediction::End::max_bytes:
      return "max_bytes";
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
  plan::Settings settings;
  // Of a pattern without a rate it is not a parameter, and make_plan passes it over.
  settings["rate"] = leak.rate_bytes_per_s && std::isfinite(*leak.rate_bytes_per_s)
                         ? fmt::format("{:.3f}", *leak.rate_bytes_per_s)
                         : "max";
  auto plan = plan::make_plan(leak.pattern, settings, leak.seed);
  if (!plan) return fail(std::move(plan.error()));

  plan::Totals totals;
  Footprint footprint;
  Prediction result;
  for (std::uint64_t steps = 0; steps < kMostSteps; ++steps) {
    const auto step = (*plan)->next();
    if (!step) {
      result.end = Prediction::End::plan_ended;
      return result;
    }
    if (step->due > horizon) {
      result.after = horizon;
      break;
    }
    totals.apply(*step);
    footprint.apply(*step);
    result.after = step->due;
    result.live_bytes = totals.live();
    const std::uint64_t used = leak.used_bytes + footprint.bytes();
    if (on_step) on_step(step->due, used);
    if (leak.max_bytes && totals.live() > *leak.max_bytes) {
      result.end = Prediction::End::max_bytes;
      return result;
    }
    if (used > leak.limit_bytes) {
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
