#include "detect/growth.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "../readings.h"
#include "detect/cadence.h"

namespace oomdrill::probe {
namespace {

using fake::kMiB;
using fake::ms;
using fake::reading_at;

TEST(Growth, NeedsTwoLooks) {
  EXPECT_FALSE(growth(reading_at(ms(0), 10), History{}));
  EXPECT_FALSE(growth(Reading{}, History{}));
}

TEST(Growth, IsTheSlopeOverTheLastFiveSeconds) {
  History history;
  for (int second = 0; second < 20; ++second) {
    // 1 MiB/s for ten seconds, then 2 MiB/s.
    const int used = second <= 10 ? second : 10 + 2 * (second - 10);
    history.push(reading_at(ms(1000 * second), static_cast<std::uint64_t>(used)));
  }
  EXPECT_DOUBLE_EQ(*growth(reading_at(ms(20'000), 30), history), 2.0 * kMiB);
}

TEST(Growth, UsesTheLookBeforeWhereLooksAreSparse) {
  History history;
  history.push(reading_at(ms(0), 10));
  EXPECT_DOUBLE_EQ(*growth(reading_at(ms(60'000), 40), history), 0.5 * kMiB);
  EXPECT_DOUBLE_EQ(*growth(reading_at(ms(60'000), 4), history), -0.1 * kMiB);
}

TEST(FastestRise, FindsABurstBetweenQuietLooks) {
  History history;
  history.push(reading_at(ms(0), 10));
  history.push(reading_at(ms(1000), 10));
  history.push(reading_at(ms(1100), 20));
  EXPECT_DOUBLE_EQ(fastest_rise(reading_at(ms(2000), 20), history), 100.0 * kMiB);
  EXPECT_DOUBLE_EQ(fastest_rise(reading_at(ms(2000), 20), History{}), 0.0);
}

TEST(FastestRise, LooksMicrosecondsApartAreNoBurst) {
  History history;
  history.push(reading_at(ms(0), 10));
  EXPECT_DOUBLE_EQ(fastest_rise(reading_at(ms(1), 11), history), 0.0);
}

TEST(TimeToLimit, IsHeadroomByRate) {
  EXPECT_EQ(*time_to_limit(reading_at(ms(0), 90), 5.0 * kMiB), ms(2000));
  EXPECT_EQ(*time_to_limit(reading_at(ms(0), 100), 5.0 * kMiB), ms(0));
  EXPECT_FALSE(time_to_limit(reading_at(ms(0), 90), 0));
  EXPECT_FALSE(time_to_limit(reading_at(ms(0), 90), -1));
  EXPECT_FALSE(time_to_limit(reading_at(ms(0), 90, std::nullopt), 1));
}

struct CadenceRow {
  const char* what;
  std::uint64_t from, to;  ///< MiB, a second apart
  std::size_t crossed;
  cgroup::Bytes limit;
  Nanoseconds expected;
};

TEST(Cadence, IsSparseWhenCalmAndDenseAsHeadroomShrinks) {
  const CadenceRow rows[] = {
      {"calm", 10, 10, 0, 100 * kMiB, ms(1000)},
      {"slow growth", 10, 11, 0, 100 * kMiB, ms(1000)},
      {"fast growth: a quarter of 40 MiB at 20 MiB/s", 40, 60, 0, 100 * kMiB, ms(500)},
      {"above the highest threshold", 96, 96, 3, 100 * kMiB, ms(100)},
      {"above two of three", 90, 90, 2, 100 * kMiB, ms(1000)},
      {"never below the least interval", 50, 99, 3, 100 * kMiB, ms(50)},
      {"no limit", 10, 90, 0, std::nullopt, ms(1000)},
  };
  for (const CadenceRow& row : rows) {
    History history;
    history.crossed = row.crossed;
    history.push(reading_at(ms(0), row.from, row.limit));
    EXPECT_EQ(next_look(reading_at(ms(1000), row.to, row.limit), history, {}), row.expected)
        << row.what;
  }
}

TEST(Cadence, AnIntervalShorterThanTheLeastOneIsKept) {
  Policy policy;
  policy.interval = ms(20);
  EXPECT_EQ(next_look(reading_at(ms(0), 10), History{}, policy), ms(20));
}

TEST(SamplePeriod, DoublesWhileNothingHappensUpToTheGreatest) {
  Policy policy;
  policy.max_interval = ms(5000);
  History history;
  EXPECT_EQ(sample_period(history, policy), ms(1000));
  history.calm = 2;
  EXPECT_EQ(sample_period(history, policy), ms(4000));
  history.calm = 1000;
  EXPECT_EQ(sample_period(history, policy), ms(5000));
  policy.max_interval = policy.interval;
  EXPECT_EQ(sample_period(history, policy), ms(1000));
}

TEST(IsCalm, NotNearAThresholdNorWhileMemoryMoves) {
  Policy policy;
  History history;
  history.told = 10 * kMiB;
  EXPECT_TRUE(is_calm(reading_at(ms(0), 10), history, policy));
  EXPECT_TRUE(is_calm(reading_at(ms(0), 10, std::nullopt), history, policy));
  EXPECT_FALSE(is_calm(reading_at(ms(0), 20), history, policy)) << "it moved";
  history.crossed = 1;
  EXPECT_FALSE(is_calm(reading_at(ms(0), 10), history, policy));
  EXPECT_FALSE(is_calm(Reading{}, history, policy));
}

TEST(NextLook, AnIntervalBelowTheLeastIsKept) {
  Policy policy;
  policy.interval = policy.max_interval = ms(20);
  policy.min_interval = ms(50);
  EXPECT_EQ(next_look(reading_at(ms(0), 10), History{}, policy), ms(20));
}

}  // namespace
}  // namespace oomdrill::probe
