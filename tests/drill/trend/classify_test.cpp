#include "trend/classify.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>

#include "trend/restarts.h"

namespace oomdrill::trend {
namespace {

using recording::Kind;
using recording::Run;

constexpr double kMiB = 1048576;

/// A curve in MiB over seconds: anonymous memory, page cache, and what leaksim holds.
struct Curve {
  std::function<double(double)> anon;
  std::function<double(double)> cache = [](double) { return 1.0; };
  std::function<double(double)> live = {};
  double seconds = 60;
  double every = 0.2;
  double noise = 0.05;
  double limit = 512;
};

Run run_of(const Curve& curve) {
  std::mt19937 random(7);
  std::normal_distribution<double> noise(0, curve.noise);
  Run run;
  run.limit_bytes = static_cast<std::uint64_t>(curve.limit * kMiB);
  for (double at = 0; at <= curve.seconds; at += curve.every) {
    recording::Values values = recording::no_values();
    const auto set = [&](Kind kind, double mib) {
      values[static_cast<std::size_t>(kind)] = std::max(0.0, mib) * kMiB;
    };
    const double anon = curve.anon(at) + noise(random);
    set(Kind::anon, anon);
    set(Kind::file, curve.cache(at));
    set(Kind::used, anon + curve.cache(at));
    set(Kind::less_cache, anon);
    if (curve.live) set(Kind::live, curve.live(at));
    run.series.add(at, values);
  }
  run.last = run.first + from_seconds(curve.seconds);
  return run;
}

double tooth(double at, double period) { return std::fmod(at, period) / period; }

TEST(Classify, KnowsEveryPattern) {
  struct Row {
    const char* what;
    Pattern pattern;
    Curve curve;
  };
  const std::vector<Row> rows = {
      {"flat", Pattern::plateau, {[](double) { return 40.0; }}},
      {"flat and noisy", Pattern::plateau, {.anon = [](double) { return 40.0; }, .noise = 3}},
      {"starts, then rests", Pattern::plateau, {[](double at) {
         return 80 * (1 - std::exp(-at / 5));
       }}},
      {"starts slowly, then rests", Pattern::plateau, {[](double at) {
         return 80 * (1 - std::exp(-at / 14));
       }}},
      {"one step early", Pattern::plateau, {[](double at) { return at < 10 ? 5.0 : 60.0; }}},
      {"comes down", Pattern::plateau, {[](double at) { return 80 - at; }}},
      {"goes round", Pattern::plateau, {[](double at) { return 50 + 20 * std::sin(at / 3); }}},
      {"goes round slowly, caught rising", Pattern::plateau, {[](double at) {
         return 50 - 20 * std::sin(at / 12);
       }}},
      {"teeth on a flat floor", Pattern::plateau, {[](double at) {
         return 20 + 30 * tooth(at, 5);
       }}},
      {"page cache",
       Pattern::page_cache,
       {[](double) { return 10.0; }, [](double at) { return 1 + at; }}},
      {"page cache to the limit",
       Pattern::page_cache,
       {[](double) { return 10.0; }, [](double at) { return std::min(500.0, 40 * at); }}},
      {"page cache and the kernel's notes of it",
       Pattern::page_cache,
       {[](double at) { return 5 + 0.028 * at; }, [](double at) { return 1 + at; }}},
      {"a leak beside a page cache that grows faster",
       Pattern::steady,
       {[](double at) { return 5 + 0.15 * at; }, [](double at) { return 1 + at; }}},
      {"steady", Pattern::steady, {[](double at) { return 5 + at; }}},
      {"steady and noisy",
       Pattern::steady,
       {.anon = [](double at) { return 5 + at; }, .noise = 1.5}},
      {"slow",
       Pattern::steady,
       {.anon = [](double at) { return 200 + 0.1 * at; }, .seconds = 120, .noise = 0.02}},
      {"steady below a page cache",
       Pattern::steady,
       {[](double at) { return 5 + at; }, [](double at) { return 3 * at; }}},
      {"grows faster and faster", Pattern::steady, {[](double at) {
         return 2 * std::exp(at / 12);
       }}},
      {"fills fast, then leaks", Pattern::steady, {[](double at) {
         return std::min(30.0, 10 * at) + 0.8 * at;
       }}},
      {"bursts", Pattern::burst, {[](double at) { return 5 + 16 * std::floor(at / 10); }}},
      {"teeth on a rising floor", Pattern::sawtooth, {[](double at) {
         return 10 + 24 * tooth(at, 5) + at;
       }}},
      {"fragments",
       Pattern::fragmentation,
       {[](double at) { return 5 + 2 * at; }, [](double) { return 1.0; },
        [](double at) { return 5 + at; }}},
      {"fragments, less in use",
       Pattern::fragmentation,
       {[](double at) { return std::min(100.0, 4 * at); }, [](double) { return 1.0; },
        [](double at) { return at < 25 ? 4 * at : 10.0; }}},
      {"leaks by its own ledger",
       Pattern::steady,
       {[](double at) { return 5 + at; }, [](double) { return 1.0; },
        [](double at) { return at; }}},
  };
  for (const Row& row : rows) {
    const Trend trend = classify(run_of(row.curve));
    EXPECT_EQ(name(trend.pattern), name(row.pattern)) << row.what << ": " << trend.why;
    EXPECT_EQ(trend.leaks(), row.pattern >= Pattern::steady) << row.what;
    EXPECT_FALSE(trend.why.empty());
  }
}

TEST(Classify, ABurstThatKillsWithinOneLookIsABurst) {
  Curve curve{.anon = [](double at) { return 2 + 24 * std::floor(at / 2); }, .seconds = 5.9};
  curve.limit = 64;
  auto run = run_of(curve);
  run.account.exited.emplace().verdict = "oom_killed";
  EXPECT_EQ(classify(run).pattern, Pattern::burst) << classify(run).why;
  run.account.exited->verdict = "completed";
  EXPECT_EQ(classify(run).pattern, Pattern::plateau) << classify(run).why;
}

TEST(Classify, WhatAKillTookWasNotGivenBack) {
  // Workers that leak one after the other, under a parent that lives.
  const Curve workers{.anon = [](double at) { return 2 + 3 * std::fmod(at + 0.1, 20); }};
  auto run = run_of(workers);
  EXPECT_FALSE(classify(run).leaks());
  run.cuts_s = {19.85, 39.85, 59.85};
  run.account.kills_total = 3;
  Trend trend = classify(run);
  EXPECT_EQ(trend.pattern, Pattern::steady) << trend.why;
  EXPECT_TRUE(trend.why.starts_with("3 OOM kills, and it grew up to each: ")) << trend.why;
  EXPECT_NEAR(trend.kinds.front().slope.per_s, 3 * kMiB, 0.1 * kMiB);
  EXPECT_FALSE(trend.to_oom);

  // One worker, and a parent that rests; and the same that grows again, and lives.
  run = run_of({[](double at) { return at < 20 ? 2 + 3 * at : 5.0; }});
  run.cuts_s = {19.99};
  run.account.kills_total = 1;
  trend = classify(run);
  EXPECT_EQ(trend.pattern, Pattern::steady) << trend.why;
  EXPECT_TRUE(trend.why.starts_with("1 OOM kill, and it grew up to it: ")) << trend.why;
  run = run_of({.anon = [](double at) { return 2 + 3 * std::fmod(at + 0.1, 40); }, .limit = 122});
  run.cuts_s = {39.85};
  run.account.kills_total = 1;
  run.account.kills.emplace_back().survived = true;
  trend = classify(run);
  ASSERT_TRUE(trend.to_oom) << trend.why;
  EXPECT_NEAR(trend.to_oom->likely_s, 20, 1);
}

TEST(Classify, AKillIsNoLeakWhereNothingGrew) {
  auto run = run_of({[](double) { return 40.0; }});
  run.cuts_s = {10, 30};
  run.account.kills_total = 2;
  run.account.kills.emplace_back().survived = true;
  EXPECT_EQ(classify(run).pattern, Pattern::plateau) << classify(run).why;
  // Kills that follow one another too fast leave nothing to be judged.
  run = run_of({[](double at) { return 5 + 40 * tooth(at, 1); }});
  run.cuts_s.clear();
  for (double at = 0.99; at < 61; ++at) run.cuts_s.push_back(at);
  run.account.kills_total = run.cuts_s.size();
  EXPECT_EQ(classify(run).pattern, Pattern::too_short);
  EXPECT_EQ(classify(run).why, "61 OOM kills leave no 8 samples in a row");
}

TEST(Classify, ALedgerThatIsToldRarelyIsNoFragmentation) {
  Curve curve{.anon = [](double at) { return 1 + 15.3 * at; },
              .live = [](double at) { return 15.3 * std::floor(at); },
              .seconds = 4,
              .every = 0.1};
  curve.limit = 64;
  EXPECT_EQ(classify(run_of(curve)).pattern, Pattern::steady) << classify(run_of(curve)).why;
}

/// The kernel charges in batches of 64 pages, so usage grows in steps that nearly keep time with
/// the looks (a recording of 1 MB/s on cgroup v2, looked at four times a second).
TEST(Classify, ALeakThatIsChargedInBatchesIsSteady) {
  constexpr double kBatch = 0.25;
  for (const double rate : {0.8, 0.9537, 1.0, 1.1, 2.0}) {
    for (int phase = 0; phase < 50; ++phase) {
      const Curve curve{.anon =
                            [rate, phase](double at) {
                              return kBatch *
                                     std::floor((0.76 + rate * at) / kBatch + phase / 50.0);
                            },
                        .seconds = 12,
                        .every = 0.25,
                        .noise = 0};
      const Trend trend = classify(run_of(curve));
      EXPECT_EQ(trend.pattern, Pattern::steady) << rate << " MiB/s, " << phase << ": " << trend.why;
    }
  }
}

TEST(Classify, NoNoiseOnAFlatLineIsALeak) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    std::normal_distribution<double> step(0, 1);
    double walk = 0;
    // What comes back to its mean, as the usage of a service under load does.
    const recording::Run run = run_of({.anon = [&](double) {
      walk = 0.9 * walk + step(random);
      return 100 + walk;
    }});
    const Trend trend = classify(run);
    EXPECT_FALSE(trend.leaks()) << seed << ": " << words(trend.pattern) << ", " << trend.why;
  }
}

TEST(Classify, TellsWhenTheLimitIsMet) {
  const Trend trend =
      classify(run_of({.anon = [](double at) { return 10 + 2 * at; }, .limit = 330}));
  ASSERT_TRUE(trend.to_oom);
  EXPECT_NEAR(trend.to_oom->likely_s, 100, 2);
  EXPECT_LE(trend.to_oom->early_s, trend.to_oom->likely_s);
  ASSERT_TRUE(trend.to_oom->late_s);
  EXPECT_GE(*trend.to_oom->late_s, trend.to_oom->likely_s);
  EXPECT_EQ(trend.grows, Kind::anon);
  EXPECT_FALSE(classify(run_of({[](double) { return 40.0; }})).to_oom);
}

TEST(Classify, SaysWhereThereIsTooLittle) {
  EXPECT_EQ(classify(recording::Run()).pattern, Pattern::too_short);
  EXPECT_EQ(classify(run_of({.anon = [](double at) { return at; }, .seconds = 1})).pattern,
            Pattern::too_short);
  EXPECT_EQ(classify(run_of({.anon = [](double) { return 1.0; }, .seconds = 0})).why,
            "1 sample is too few: 8 are needed");
}

TEST(TheilSen, FindsALineThroughOutliers) {
  std::vector<Point> points;
  for (int i = 0; i < 100; ++i) points.push_back({1.0 * i, i % 4 == 0 ? 1e6 : 3.0 * i});
  const auto slope = theil_sen(points);
  ASSERT_TRUE(slope);
  EXPECT_NEAR(slope->per_s, 3, 0.2);
  EXPECT_LE(slope->low, slope->per_s);
  EXPECT_GE(slope->high, slope->per_s);
  EXPECT_FALSE(theil_sen({{0, 1}, {1, 2}, {2, 3}}));
  EXPECT_FALSE(theil_sen({{5, 1}, {5, 2}, {5, 3}, {5, 4}}));
}

TEST(TheilSen, TheIntervalHoldsTheTruthAsOftenAsItSays) {
  int held = 0;
  constexpr int kTrials = 400;
  for (unsigned seed = 0; seed < kTrials; ++seed) {
    std::mt19937 random(seed);
    std::normal_distribution<double> noise(0, 5);
    std::vector<Point> points;
    for (int i = 0; i < 60; ++i) points.push_back({1.0 * i, 2.0 * i + noise(random)});
    const auto slope = theil_sen(points);
    held += slope->low <= 2 && 2 <= slope->high ? 1 : 0;
  }
  EXPECT_GE(held, kTrials * 92 / 100);
}

TEST(Restarts, TellsLivesThatAreAlike) {
  const auto killed = [](double start, double life) {
    recording::Run run;
    run.first = WallTime(from_seconds(start));
    run.last = run.first + from_seconds(life);
    run.account.exited.emplace();
    run.account.exited->verdict = "oom_killed";
    return run;
  };
  const Restarts alike = restarts_of({killed(0, 500), killed(600, 510), killed(1200, 495)});
  EXPECT_EQ(alike.killed, 3U);
  EXPECT_EQ(alike.median_life_s, 500);
  EXPECT_EQ(alike.regular, true);
  EXPECT_EQ(restarts_of({killed(0, 100), killed(600, 510), killed(1200, 900)}).regular, false);
  EXPECT_EQ(restarts_of({killed(0, 500), recording::Run()}).regular, std::nullopt);
}

}  // namespace
}  // namespace oomdrill::trend
