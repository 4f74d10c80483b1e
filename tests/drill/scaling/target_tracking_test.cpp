#include "scaling/target_tracking.h"

#include <gtest/gtest.h>

namespace oomdrill::scaling {
namespace {

constexpr alarm::Instant kStart{seconds(1'700'000'040)};

/// "3: 4→5" for each action, by minute.
std::string told(TargetTracking& tracking, const std::vector<std::optional<double>>& averages,
                 std::uint32_t running) {
  std::string text;
  for (std::size_t i = 0; i < averages.size(); ++i) {
    const auto action = tracking.step(kStart + i * seconds(60), averages[i], running);
    if (!action) continue;
    running = action->to;
    text += fmt::format("{}{}: {}→{}", text.empty() ? "" : ", ", i, action->from, action->to);
  }
  return text;
}

TEST(TargetTracking, ScalesOutInProportionAfterThreeMinutes) {
  TargetTracking tracking({.most = 100}, 10);
  EXPECT_EQ(told(tracking, {90, 90, 90, 70, 70}, 10), "2: 10→12");  // ceil(10 · 90 / 75)
}

TEST(TargetTracking, TwoMinutesAboveAreNotEnough) {
  TargetTracking tracking({.most = 100}, 10);
  EXPECT_EQ(told(tracking, {90, 90, 70, 90, 90, 70}, 10), "");
}

TEST(TargetTracking, WithinTheCooldownOnlyMoreCounts) {
  TargetTracking tracking({.most = 100}, 10);
  EXPECT_EQ(told(tracking, {80, 80, 80, 70, 80, 80, 80}, 10), "2: 10→11, 6: 11→12");
  TargetTracking same({.most = 100}, 10);
  std::string text;
  for (int i = 0; i < 7; ++i) {
    // The new task does not run yet: what was asked for counts as there.
    if (same.step(kStart + i * seconds(60), 80, 10)) text += std::to_string(i) + " ";
  }
  EXPECT_EQ(text, "2 ");
}

TEST(TargetTracking, StaysWithinItsBounds) {
  TargetTracking tracking({.least = 1, .most = 4}, 3);
  EXPECT_EQ(told(tracking, {100, 100, 100, 100, 100, 100, 100, 100}, 3), "2: 3→4");
  TargetTracking least({.least = 3, .most = 4}, 3);
  EXPECT_EQ(told(least, std::vector<std::optional<double>>(60, 5.0), 3), "");
}

TEST(TargetTracking, ScalesInSlowlyAfterFifteenMinutes) {
  TargetTracking tracking({.least = 1, .most = 50, .cooldown_in = seconds(300)}, 20);
  EXPECT_EQ(told(tracking, std::vector<std::optional<double>>(25, 10.0), 20),
            "14: 20→18, 19: 18→17, 24: 17→16");
}

TEST(TargetTracking, WithoutAPointNothingIsDone) {
  TargetTracking tracking({.most = 100}, 10);
  EXPECT_EQ(told(tracking, {90, std::nullopt, std::nullopt, std::nullopt}, 10), "");
}

TEST(Policy, IsReadFromItsText) {
  const auto policy = parse_policy("target=80,min=2,max=8,cooldown=2m");
  ASSERT_TRUE(policy) << policy.error().line();
  EXPECT_EQ(policy->target, 80);
  EXPECT_EQ(policy->least, 2U);
  EXPECT_EQ(policy->most, 8U);
  EXPECT_EQ(policy->cooldown_out, seconds(120));
  EXPECT_EQ(parse_policy("target=60%")->target, 60);
  for (const char* text : {"target", "target=", "target=0", "min=0", "min=9", "max=x", "to=1",
                           "cooldown=soon", "=", ",,"}) {
    EXPECT_FALSE(parse_policy(text)) << text;
  }
}

}  // namespace
}  // namespace oomdrill::scaling
