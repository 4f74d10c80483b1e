#include "detect/trend.h"

#include <gtest/gtest.h>

#include <random>

#include "../readings.h"
#include "detect/detectors.h"

namespace oomdrill::probe {
namespace {

using fake::kMiB;
using fake::ms;
using fake::reading_at;

Held anon(double mib) { return {static_cast<std::uint64_t>(mib * kMiB), 0, 0}; }

TEST(TrendWindow, NeedsAFewPointsAndKeepsTheirDistance) {
  TrendWindow window(ms(100));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(window.push(ms(100 * i), anon(i)));
  EXPECT_FALSE(window.push(ms(450), anon(9))) << "too soon";
  EXPECT_FALSE(window.trend());
  EXPECT_TRUE(window.push(ms(500), anon(5)));
  ASSERT_TRUE(window.trend());
  EXPECT_EQ(window.trend()->points, 6U);
}

TEST(TrendWindow, OfALineIsItsSlope) {
  TrendWindow window(ms(20));
  for (int i = 0; i < 40; ++i) window.push(ms(1000 * i), anon(3.0 * i));
  EXPECT_DOUBLE_EQ(window.trend()->bytes_per_s, 3.0 * kMiB);
  EXPECT_DOUBLE_EQ(window.trend()->low, 3.0 * kMiB);
  EXPECT_DOUBLE_EQ(window.trend()->high, 3.0 * kMiB);
  EXPECT_EQ(window.trend()->points, TrendWindow::kPoints);
  EXPECT_EQ(window.trend()->span, ms(1000) * (TrendWindow::kPoints - 1));
  EXPECT_GT(window.trend()->z, 5);
  EXPECT_EQ(window.trend()->grows, "anon");
}

TEST(TrendWindow, AQuarterOfOutliersDoesNotMoveIt) {
  TrendWindow window(ms(20));
  for (int i = 0; i < 24; ++i) {
    // A cache that is filled and dropped, now and then.
    window.push(ms(1000 * i), anon(2.0 * i + (i % 5 == 2 ? 60 : 0)));
  }
  EXPECT_NEAR(window.trend()->bytes_per_s, 2.0 * kMiB, 0.3 * kMiB);
}

TEST(TrendWindow, NoiseIsNoTrend) {
  // NOLINTNEXTLINE(bugprone-random-generator-seed): the same noise in each run
  std::mt19937 random(7);
  std::uniform_real_distribution<double> noise(40, 60);
  int trends = 0;
  for (int run = 0; run < 200; ++run) {
    TrendWindow window(ms(20));
    for (int i = 0; i < 24; ++i) window.push(ms(1000 * i), anon(noise(random)));
    if (window.trend()->z >= 2.5) ++trends;
  }
  EXPECT_LE(trends, 5) << "0.6 % are expected";
}

TEST(TrendWindow, TellsWhichKindGrows) {
  TrendWindow shmem(ms(20)), kernel(ms(20));
  for (std::uint64_t i = 0; i < 10; ++i) {
    shmem.push(ms(1000) * i, {kMiB, i * kMiB, 0});
    kernel.push(ms(1000) * i, {(10 - i) * kMiB, 0, i * kMiB});
  }
  EXPECT_EQ(shmem.trend()->grows, "shmem");
  EXPECT_EQ(kernel.trend()->grows, "kernel");
  EXPECT_DOUBLE_EQ(kernel.trend()->bytes_per_s, 0);
}

/// Looks each second at anonymous memory of `mib(second)`, with page cache beside it.
struct Leak {
  std::vector<GrowthFound> found;

  template <class F>
  void run(int seconds, F mib, double cache_mib = 0) {
    for (int i = 0; i < seconds; ++i, ++second) {
      const double used = mib(second);
      Reading now = reading_at(ms(1000 * second), static_cast<std::uint64_t>(used + cache_mib));
      now.sample.stat.anon = anon(used).anon;
      history.follow(now);
      while (const auto next = detect_growth(now, history, {})) {
        history.note(*next);
        found.push_back(std::get<GrowthFound>(*next));
      }
      history.push(now);
    }
  }
  History history;
  int second = 0;
};

TEST(DetectGrowth, TellsALeakEarlyThenEachHalving) {
  Leak leak;
  leak.run(90, [](int s) { return 5.0 + s; });
  ASSERT_GE(leak.found.size(), 3U);
  EXPECT_LE(leak.found.size(), 8U) << "each line halves the time that is left";
  EXPECT_EQ(leak.found.front().eta, ms(1000) * 90) << "told when 10 of 100 MiB are used";
  for (std::size_t i = 1; i < leak.found.size(); ++i) {
    EXPECT_LE(leak.found[i].eta, leak.found[i - 1].eta / 2);
  }
}

TEST(DetectGrowth, TellsTheEndOnce) {
  Leak leak;
  leak.run(20, [](int s) { return 5.0 + s; });
  leak.run(60, [](int s) { return 25.0 + s % 2; });
  ASSERT_GE(leak.found.size(), 2U);
  EXPECT_FALSE(leak.found.back().growing);
  EXPECT_TRUE(leak.found[leak.found.size() - 2].growing);
}

TEST(DetectGrowth, SaysNothingOfCacheNoiseOrAFlatLine) {
  Leak flat;
  flat.run(200, [](int) { return 50.0; });
  EXPECT_TRUE(flat.found.empty());
  Leak start;
  start.run(200, [](int s) { return s < 3 ? 10.0 * s : 30.0; });
  EXPECT_TRUE(start.found.empty()) << "a service that starts";
  Leak cache;
  for (int s = 0; s < 90; ++s)
    cache.run(
        1, [](int) { return 5.0; }, s);
  EXPECT_TRUE(cache.found.empty()) << "page cache grows, the held memory does not";
}

TEST(DetectGrowth, ASlowLeakIsSeenInMinutes) {
  Leak leak;
  leak.run(1800, [](int s) { return 5.0 + s / 60.0 + s % 7 * 0.05; });
  ASSERT_FALSE(leak.found.empty());
  EXPECT_NEAR(leak.found.front().trend.bytes_per_s, kMiB / 60.0, kMiB / 200.0);
}

}  // namespace
}  // namespace oomdrill::probe
