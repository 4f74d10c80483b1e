#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "plan/plan.h"

namespace oomdrill::plan::test {

inline std::unique_ptr<Plan> make(std::string_view text, std::uint64_t seed = 7,
                                  const Settings& defaults = {}) {
  auto plan = make_plan(text, defaults, seed);
  EXPECT_TRUE(plan) << text << ": " << plan.error().line();
  return plan ? std::move(*plan) : nullptr;
}

inline std::string describe(const Action& action) {
  if (const auto* grow = std::get_if<Grow>(&action)) return fmt::format("grow {}", grow->bytes);
  if (const auto* shrink = std::get_if<Shrink>(&action)) {
    return fmt::format("shrink {}", shrink->bytes);
  }
  if (const auto* allocate = std::get_if<Allocate>(&action)) {
    return fmt::format("allocate {} x {} in group {}", allocate->count, allocate->block_bytes,
                       allocate->group);
  }
  if (const auto* rule = std::get_if<FreeSampled>(&action)) {
    return fmt::format("free {} of group {}, oldest of {}, seed {}", rule->count, rule->group,
                       rule->sample, rule->seed);
  }
  const auto& rule = std::get<FreeMost>(action);
  return fmt::format("free group {} but every {} from {}", rule.group, rule.keep_every,
                     rule.offset);
}

/// A line a step: when, what, and what it adds up to.
inline std::string curve(std::string_view text, std::size_t steps, std::uint64_t seed = 7) {
  const auto plan = make(text, seed);
  Totals totals;
  std::string out;
  for (std::size_t i = 0; plan && i < steps; ++i) {
    const auto step = plan->next();
    if (!step) return out + "end\n";
    totals.apply(*step);
    out += fmt::format("{} us: {}; live {}, allocated {}\n", step->due.count() / 1000,
                       describe(step->action), totals.live(), totals.allocated());
  }
  return out;
}

}  // namespace oomdrill::plan::test
