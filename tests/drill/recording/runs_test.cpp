#include "recording/runs.h"

#include <gtest/gtest.h>

#include "../events.h"
#include "fixture_tree.h"

namespace oomdrill::recording {
namespace {

using test::event_line;

std::string sample(double at, std::uint64_t used, std::string_view more = "") {
  return event_line("memory.sample", at,
                    fmt::format(R"("used_bytes":{0},"working_set_bytes":{0},"file_bytes":100,)"
                                R"("shmem_bytes":40,"limit_bytes":100000{1})",
                                used, more));
}

Runs runs_of(const std::vector<std::string>& texts) {
  test::FixtureTree tree;
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    tree.file(fmt::format("/{}", i), texts[i]);
    paths.push_back(fmt::format("{}/{}", tree.path(), i));
  }
  Input input{};
  auto runs = read_runs(paths, input);
  EXPECT_TRUE(runs) << runs.error().line();
  EXPECT_EQ(input, Input::fine);
  return runs ? std::move(*runs) : Runs();
}

TEST(Runs, ADrillIsOne) {
  const Runs runs = runs_of({test::killed_drill()});
  ASSERT_EQ(runs.all().size(), 1U);
  EXPECT_TRUE(runs.all()[0].killed());
  EXPECT_EQ(runs.all()[0].limit_bytes, 67108864U);
}

TEST(Runs, LessCacheKeepsSharedMemory) {
  const Runs runs = runs_of({sample(0, 1000)});
  EXPECT_EQ(runs.all()[0].series.last(Kind::less_cache), 940);
}

TEST(Runs, ARestartAndAnotherTaskBeginNewOnes) {
  const std::string life = event_line("probe.started", 0) + sample(1, 5000) +
                           event_line("workload.exited", 2, R"("verdict":"oom_killed")");
  EXPECT_EQ(runs_of({life + event_line("probe.stopped", 2) + event_line("probe.started", 10) +
                     sample(11, 5000)})
                .all()
                .size(),
            2U);
  EXPECT_EQ(runs_of({sample(0, 1, R"(,"task_id":"a")") + sample(0, 1, R"(,"task_id":"b")") +
                     sample(1, 1, R"(,"task_id":"a")")})
                .all()
                .size(),
            2U);
  // One task over two files is one; two files that name none are two.
  EXPECT_EQ(
      runs_of({sample(0, 1, R"(,"task_id":"a")"), sample(1, 1, R"(,"task_id":"a")")}).all().size(),
      1U);
  EXPECT_EQ(runs_of({sample(1, 1), sample(0, 1)}).all().size(), 2U);
}

TEST(Runs, WhatComesAfterTheDeathIsNoGrowth) {
  const Runs runs =
      runs_of({sample(0, 5000) + event_line("workload.exited", 1, R"("verdict":"oom_killed")") +
               sample(2, 10)});
  EXPECT_EQ(runs.all()[0].series.samples(), 1U);
}

TEST(Runs, WhatComesDownBeforeTheEndIsNoCurve) {
  const std::string samples = sample(0, 5000) + sample(10, 9000) + sample(11, 4000);
  const Runs ended =
      runs_of({samples + event_line("workload.exited", 11, R"("verdict":"completed")")});
  EXPECT_EQ(ended.all()[0].series.samples(), 2U);
  EXPECT_EQ(ended.all()[0].series.last(Kind::used), 9000);
  const Runs lives = runs_of({samples});
  EXPECT_EQ(lives.all()[0].series.samples(), 3U);
  EXPECT_EQ(lives.all()[0].series.last(Kind::used), 4000);
}

TEST(Runs, AClockThatStepsBackIsTold) {
  const Runs runs = runs_of({sample(0, 1) + sample(1, 2) + sample(-3000, 3) + sample(-2999, 4)});
  const recording::Run& run = runs.all()[0];
  EXPECT_EQ(run.clock_steps, 1U);
  EXPECT_EQ(run.series.samples(), 4U);
  EXPECT_NEAR(run.series.duration_s(), 2, 0.01);
}

TEST(Runs, AClockThatStepsOnIsToldAsAGap) {
  const Runs runs = runs_of({sample(0, 1) + sample(1, 2) + sample(9000, 3) + sample(9001, 4)});
  EXPECT_NEAR(runs.all()[0].gap_s, 8999, 0.01);
  EXPECT_EQ(runs_of({sample(0, 1) + sample(60, 2)}).all()[0].gap_s, 0);
}

TEST(Runs, NothingIsSaidClearly) {
  test::FixtureTree tree;
  tree.file("/empty", "").file("/text", "hello\nworld\n").file("/cut", "{\"event\":\"memory.sam");
  const auto error = [&](const char* name) {
    Input input{};
    const auto runs = read_runs({tree.path() + name}, input);
    EXPECT_FALSE(runs);
    return std::pair(input, runs ? std::string() : runs.error().line());
  };
  EXPECT_EQ(error("/absent").first, Input::missing);
  EXPECT_EQ(error("/empty").first, Input::empty);
  EXPECT_NE(error("/empty").second.find("is empty"), std::string::npos);
  EXPECT_NE(error("/text").second.find("no event in 2 lines"), std::string::npos);
  EXPECT_NE(error("/cut").second.find("line 1"), std::string::npos);
}

TEST(Series, KeepsItsShapeInConstantMemory) {
  Series series;
  Values values = no_values();
  for (int i = 0; i < 100'000; ++i) {
    values[0] = i == 77'777 ? 1e9 : 1e6 + i;
    series.add(i, values);
  }
  EXPECT_LE(series.buckets().size(), Series::kMost);
  EXPECT_GE(series.buckets().size(), Series::kMost / 2);
  EXPECT_EQ(series.samples(), 100'000U);
  EXPECT_EQ(series.duration_s(), 99'999);
  float most = 0;
  double sum = 0;
  for (const Bucket& bucket : series.buckets()) {
    most = std::max(most, bucket.stat(Kind::used)->max);
    sum += static_cast<double>(bucket.stat(Kind::used)->mean) * bucket.samples;
    EXPECT_EQ(bucket.stat(Kind::anon), nullptr);
  }
  EXPECT_EQ(most, 1e9F);
  EXPECT_NEAR(sum, 1e11 + 99'999.0 * 50'000 + 1e9 - 1e6 - 77'777, 1e5);
}

TEST(Runs, WhatAKillLeftIsNotWhatWasUsed) {
  const auto sample = [](double at, int used, int kills) {
    return test::event_line("memory.sample", at,
                            fmt::format(R"("used_bytes":{},"oom_kills":{})", used, kills));
  };
  test::FixtureTree tree;
  tree.file("/r", sample(0, 1000, 7) + sample(1, 60000, 7) + sample(2, 500, 8) +
                      test::event_line("memory.oom_kill", 2, R"("kills":1,"survived":true)") +
                      sample(3, 600, 8));
  Input input{};
  const auto runs = read_runs({tree.path() + "/r"}, input);
  ASSERT_TRUE(runs);
  EXPECT_EQ(runs->all().front().series.samples(), 3U);
  EXPECT_EQ(runs->all().front().series.last(Kind::used), 600);
}

TEST(Runs, AKillCutsTheCurveWhoeverSurvivedIt) {
  const auto kill = [](double at) {
    return event_line("memory.oom_kill", at, R"("kills":1,"survived":true)");
  };
  const Runs runs = runs_of({sample(0, 1000) + sample(10, 9000) + sample(10.5, 4000) + kill(10.6) +
                             kill(10.7) + sample(20, 8000) + sample(30, 9000) + kill(30)});
  const recording::Run& run = runs.all()[0];
  EXPECT_EQ(run.cuts_s, (std::vector<double>{10, 30}));
  // What was coming down to the kill is no curve, and no sample of the working set either.
  EXPECT_EQ(run.series.samples(), 4U);
  EXPECT_EQ(run.working_set.count(), run.series.samples());
}

TEST(Runs, ADrillsFrameBelongsToItsRun) {
  test::FixtureTree tree;
  tree.file("/r", test::named_drill() + test::named_drill());
  Input input{};
  const auto runs = read_runs({tree.path() + "/r"}, input);
  ASSERT_TRUE(runs);
  // The same twice in one file is delivered twice, not done twice.
  ASSERT_EQ(runs->all().size(), 1U);
  const auto& run = runs->all().front();
  EXPECT_EQ(run.account.drill->name, "guide");
  EXPECT_EQ(run.account.drill->stretch, 64);
  EXPECT_EQ(run.account.drill_end->confidence, "certain");
  EXPECT_EQ(run.account.lost, 0U);
  EXPECT_NEAR(run.duration_s(), 8.35, 1e-6);
}

TEST(Histogram, TellsPercentilesWithinAPercent) {
  Histogram histogram;
  for (std::uint64_t i = 1; i <= 10'000; ++i) histogram.add(i << 20U);
  for (const double percent : {1.0, 50.0, 90.0, 99.0, 99.9}) {
    const double exact = percent * 100 * 1048576;
    EXPECT_GE(*histogram.percentile(percent), exact);
    EXPECT_LE(*histogram.percentile(percent), 1.01 * exact);
  }
  EXPECT_EQ(histogram.percentile(100), 10'000ULL << 20U);
  EXPECT_EQ(Histogram().percentile(50), std::nullopt);
  Histogram both = histogram;
  both.add(histogram);
  EXPECT_EQ(both.count(), 20'000U);
  EXPECT_EQ(both.percentile(50), histogram.percentile(50));
}

}  // namespace
}  // namespace oomdrill::recording
