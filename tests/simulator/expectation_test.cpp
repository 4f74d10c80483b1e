#include "expectation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

namespace oomdrill::simulator {
namespace {

using std::chrono::milliseconds;

/// `used` of the part of the run that is over, 0 to 1, looked at every 20 ms.
Curve curve(milliseconds length, const std::function<double(double)>& used) {
  Curve curve;
  for (milliseconds t{0}; t <= length; t += milliseconds(20)) {
    curve.add(t, static_cast<std::uint64_t>(
                     used(static_cast<double>(t.count()) / static_cast<double>(length.count()))));
  }
  return curve;
}

TEST(Curve, LevelsOffOrDoesNot) {
  for (const milliseconds length :
       {milliseconds(400), milliseconds(5000), milliseconds(3'600'000)}) {
    const auto late = [length](const std::function<double(double)>& used) {
      const auto growth = curve(length, used).late_growth();
      EXPECT_TRUE(growth);
      return static_cast<double>(growth.value_or(0));
    };
    EXPECT_NEAR(late([](double t) { return 3e6 * t; }), 1e6, 2e5);
    EXPECT_EQ(late([](double t) { return 3e6 * std::min(t, 0.5); }), 0);
    EXPECT_NEAR(late([](double t) { return 3e6 * std::max(t, 0.8); }), 6e5, 2e5);
    EXPECT_EQ(late([](double t) { return 3e6 - 1e6 * t; }), 0);
    // A sawtooth that has come to its height, and one whose floor rises.
    const auto saw = [](double t) { return 1e6 * std::fmod(t * 10, 1.0); };
    EXPECT_LT(late(saw), 2e5);
    EXPECT_GT(late([saw](double t) { return saw(t) + 3e6 * t; }), 7e5);
  }
}

TEST(Curve, SaysNothingOfAShortRun) {
  EXPECT_EQ(curve(milliseconds(100), [](double) { return 1.0; }).late_growth(), std::nullopt);
  EXPECT_EQ(Curve().late_growth(), std::nullopt);
}

TEST(Curve, KeepsThePeakBetweenTwoReadings) {
  Curve curve;
  curve.add(milliseconds(0), 1);
  curve.add(milliseconds(5), 9);
  curve.add(milliseconds(25), 2);
  EXPECT_EQ(curve.peak(), 9u);
}

Ending ended(std::uint64_t oom_kills, std::uint64_t others, std::uint64_t unknown,
             std::uint64_t killed, int failure, std::optional<std::uint64_t> late = 0) {
  Ending ending;
  ending.oom_kills = oom_kills;
  ending.other_oom_kills = others;
  ending.unknown_kills = unknown;
  ending.killed = killed;
  ending.failure = failure;
  ending.late_growth = late;
  ending.peak = 50'000'000;
  ending.limit = 100'000'000;
  return ending;
}

TEST(Judge, TakesNothingForGranted) {
  using enum Verdict;
  struct Case {
    Ending ending;
    Verdict oom, survive, plateau;
  };
  const Case cases[] = {
      {ended(0, 0, 0, 0, 0), unmet, met, met},
      {ended(1, 0, 0, 0, 137), met, unmet, unmet},
      {ended(1, 0, 0, 0, 0), met, unmet, unmet},    // restarted, and then it came through
      {ended(0, 1, 0, 0, 0), unmet, unmet, unmet},  // another process was taken in its place
      {ended(0, 0, 1, 0, 137), unjudged, unmet, unmet},
      {ended(0, 0, 0, 1, 137), unmet, unmet, unmet},
      {ended(0, 0, 0, 0, 71), unmet, unmet, unmet},
      {ended(0, 0, 0, 0, 0, 1'000'000), unmet, met, met},
      {ended(0, 0, 0, 0, 0, 1'000'001), unmet, met, unmet},
      {ended(0, 0, 0, 0, 0, std::nullopt), unmet, met, unjudged},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(judge(Expect::oom, each.ending), each.oom) << each.ending.outcome();
    EXPECT_EQ(judge(Expect::survive, each.ending), each.survive) << each.ending.outcome();
    EXPECT_EQ(judge(Expect::plateau, each.ending), each.plateau) << each.ending.outcome();
  }
}

}  // namespace
}  // namespace oomdrill::simulator
