#include "trend.h"

#include <gtest/gtest.h>

namespace oomdrill::simulator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Trend, KnowsNothingFromOnePoint) {
  Trend trend;
  EXPECT_EQ(trend.growth(), std::nullopt);
  trend.add({});
  EXPECT_EQ(trend.growth(), std::nullopt);
  EXPECT_EQ(trend.requested(), std::nullopt);
}

TEST(Trend, RatesAreOfTheLastSecond) {
  Trend trend;
  for (unsigned i = 0; i <= 20; ++i) {
    const std::uint64_t bytes = i <= 10 ? i * 100 : 1000 + (i - 10) * 700;
    trend.add({.due = milliseconds(100) * i,
               .elapsed = milliseconds(100) * i + milliseconds(i == 20 ? 400 : 0),
               .requested = bytes,
               .achieved = bytes / 2,
               .used = bytes});
  }
  EXPECT_DOUBLE_EQ(*trend.requested(), 7000);
  EXPECT_DOUBLE_EQ(*trend.achieved(), 3500 / 1.4);
}

TEST(Trend, GrowthIsOfHalfAMinute) {
  Trend trend;
  for (unsigned i = 0; i <= 1000; ++i) {
    const std::uint64_t used = i <= 970 ? 0 : (i - 970) * 50;
    trend.add({.due = seconds(i), .elapsed = seconds(i), .used = used});
  }
  EXPECT_DOUBLE_EQ(*trend.growth(), 50);
}

TEST(Trend, RarePointsUseTheOneBefore) {
  Trend trend;
  trend.add({.used = 100});
  trend.add({.due = seconds(60), .elapsed = seconds(60), .used = 700});
  trend.add({.due = seconds(120), .elapsed = seconds(120), .used = 100});
  EXPECT_DOUBLE_EQ(*trend.growth(), -10);
}

TEST(Trend, TwoPointsAtOnceAreNoRate) {
  Trend trend;
  trend.add({});
  trend.add({.requested = 5});
  EXPECT_EQ(trend.requested(), std::nullopt);
}

}  // namespace
}  // namespace oomdrill::simulator
