#include "rightsize/advice.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "../events.h"
#include "fixture_tree.h"

namespace oomdrill::rightsize {
namespace {

constexpr std::uint64_t kMiB = 1U << 20U;

Advice advice_on(const std::string& recording, const Margin& margin = {}) {
  test::FixtureTree tree;
  tree.file("/r", recording);
  recording::Input input{};
  const auto runs = recording::read_runs({tree.path() + "/r"}, input);
  EXPECT_TRUE(runs);
  return advise(*runs, margin).at(0);
}

/// Samples of a working set in MiB, one a second, under a limit.
Advice advice_of(double (*mib)(int), std::uint64_t limit_mib, const Margin& margin = {},
                 std::string_view end = "", int count = 200) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += test::event_line(
        "memory.sample", i,
        fmt::format(R"("used_bytes":{0},"working_set_bytes":{0},"file_bytes":0,"shmem_bytes":0,)"
                    R"("anon_bytes":{0},"limit_bytes":{1})",
                    static_cast<std::uint64_t>(mib(i) * kMiB), limit_mib * kMiB));
  }
  if (!end.empty()) {
    text += test::event_line("workload.exited", count, fmt::format(R"("verdict":"{}")", end));
  }
  return advice_on(text, margin);
}

double calm(int i) { return 100 + i % 7; }
double leak(int i) { return 50 + i / 2.0; }

TEST(Advice, ShrinksKeepsAndGrows) {
  const Advice shrink = advice_of(calm, 1024);
  EXPECT_EQ(shrink.verdict, Verdict::shrink);
  EXPECT_EQ(shrink.peak_bytes, 106 * kMiB);
  EXPECT_EQ(shrink.memory_bytes, 133 * kMiB);  // 106 and 25 %
  EXPECT_LE(shrink.reserve_bytes, shrink.memory_bytes);
  EXPECT_NEAR(*shrink.saved_gib_per_hour, (1024 - 133) / 1024.0, 1e-9);
  EXPECT_EQ(advice_of(calm, 136).verdict, Verdict::keep);
  const Advice grow = advice_of(calm, 110);
  EXPECT_EQ(grow.verdict, Verdict::grow);
  EXPECT_LT(*grow.saved_gib_per_hour, 0);
}

TEST(Advice, CountsKillsThatWereSurvived) {
  std::string text;
  for (int i = 0; i < 60; ++i) {
    text += test::event_line("memory.sample", i, R"("used_bytes":1000000,"limit_bytes":67108864)");
    if (i % 30 == 20) {
      text += test::event_line("memory.oom_kill", i + 0.5, R"("kills":2,"survived":true)");
    }
  }
  const Advice advice = advice_on(text);
  EXPECT_EQ(advice.kills, 4U);
  EXPECT_EQ(advice.verdict, Verdict::grow);
}

TEST(Advice, SizesNothingByAPeakThatAKillCutOff) {
  // Children that leak under a parent that lives: killed at 64 MiB, each a little below when seen.
  std::string text;
  for (int i = 0; i < 90; ++i) {
    text += test::event_line(
        "memory.sample", i,
        fmt::format(R"("used_bytes":{},"limit_bytes":67108864)", 3000000 + i % 30 * 2000000));
    if (i % 30 == 29) {
      text += test::event_line("memory.oom_kill", i + 0.5, R"("kills":1,"survived":true)");
    }
  }
  text += test::event_line("workload.exited", 91, R"("verdict":"completed")");
  const Advice advice = advice_on(text);
  EXPECT_EQ(advice.kills, 3U);
  EXPECT_EQ(advice.verdict, Verdict::fix_the_leak) << advice.why;
  // Where it does not leak, its peak was cut all the same.
  EXPECT_NE(advice_of([](int) { return 60.0; }, 64, {}, "oom_killed").why.find("peak was cut"),
            std::string::npos);
}

TEST(Advice, IsToldInWords) {
  EXPECT_EQ(words(Verdict::too_little), "too little is known");
  EXPECT_EQ(gib_hours(-0.25), "0.250 GiB of memory, 182.5 GiB-hours a month of 730 h");
}

TEST(Advice, NeverSizesWhatLeaks) {
  const Advice advice = advice_of(leak, 4096);
  EXPECT_EQ(advice.verdict, Verdict::fix_the_leak);
  // What trend is sure of needs no thirty samples.
  EXPECT_EQ(advice_of(leak, 4096, {}, "oom_killed", 29).verdict, Verdict::fix_the_leak);
  EXPECT_EQ(advice_of(calm, 4096, {}, "oom_killed", 29).verdict, Verdict::too_little);
  EXPECT_FALSE(advice.saved_gib_per_hour);
  EXPECT_EQ(advice.memory_bytes, 4096 * kMiB);
}

TEST(Advice, AKillCutsThePeak) {
  const Advice advice = advice_of(calm, 512, {}, "oom_killed");
  EXPECT_EQ(advice.verdict, Verdict::grow);
  EXPECT_GT(advice.memory_bytes, 512 * kMiB);
}

TEST(Advice, RoundsToWhatFargateSells) {
  const Advice advice = advice_of(calm, 2048, {.percent = 25, .fargate = true, .cpu = 0});
  EXPECT_EQ(advice.memory_bytes, 512 * kMiB);
  EXPECT_EQ(advice.fargate->cpu, 256U);
  EXPECT_NEAR(*advice.saved_gib_per_hour, 1.5, 1e-9);
  EXPECT_EQ(advice_of(calm, 2048, {.percent = 25, .fargate = true, .cpu = 1024}).verdict,
            Verdict::keep);
}

TEST(Advice, NothingIsSmallerThanDockerTakes) {
  const Advice advice = advice_of([](int) { return 3.0; }, 64);
  EXPECT_EQ(advice.verdict, Verdict::shrink);
  EXPECT_EQ(advice.memory_bytes, 6 * kMiB);
  EXPECT_EQ(advice.reserve_bytes, 6 * kMiB);
  EXPECT_EQ(advice.why,
            "6.0 MiB is the least that Docker takes, above its peak of 3.0 MiB and 25 % above");
}

TEST(Advice, WhatFargateSellsIsComparedWithTheSizeInUse) {
  const auto small = [](int i) { return 30.0 + i % 7; };
  const Advice least = advice_of(small, 64, {.percent = 25, .fargate = true, .cpu = 0});
  EXPECT_EQ(least.verdict, Verdict::grow);
  EXPECT_EQ(least.memory_bytes, 512 * kMiB);
  EXPECT_EQ(
      least.why,
      "512.0 MiB is the least that Fargate sells, more than is needed: 45.0 MiB is its peak of "
      "36.0 MiB and 25 % above");
  // Within a tenth is not what it sells.
  EXPECT_EQ(advice_of(small, 500, {.percent = 25, .fargate = true, .cpu = 0}).verdict,
            Verdict::grow);
  EXPECT_EQ(advice_of(small, 512, {.percent = 25, .fargate = true, .cpu = 0}).verdict,
            Verdict::keep);
  EXPECT_TRUE(fargate_sells(4096));
  EXPECT_FALSE(fargate_sells(300));
  EXPECT_EQ(fargate_cpus(), "256, 512, 1024, 2048, 4096, 8192, 16384");
}

TEST(Advice, SaysWhereThereIsTooLittle) {
  EXPECT_EQ(advice_of(calm, 512, {}, "", 10).verdict, Verdict::too_little);
}

TEST(Fargate, SellsWhatItsTableSays) {
  struct Row {
    std::uint64_t mib;
    std::uint32_t cpu, expected_cpu, expected_mib;
  };
  for (const Row& row :
       {Row{1, 0, 256, 512}, Row{513, 0, 256, 1024}, Row{1024, 0, 256, 1024},
        Row{2049, 0, 512, 3072}, Row{2049, 1024, 1024, 3072}, Row{100, 2048, 2048, 4096},
        Row{30721, 0, 8192, 32768}, Row{61441, 0, 16384, 65536}, Row{122880, 0, 16384, 122880}}) {
    const auto size = fargate_size(row.mib * kMiB, row.cpu);
    ASSERT_TRUE(size) << row.mib;
    EXPECT_EQ(size->cpu, row.expected_cpu) << row.mib;
    EXPECT_EQ(size->memory_mib, row.expected_mib) << row.mib;
  }
  EXPECT_FALSE(fargate_size(122881 * kMiB));
}

}  // namespace
}  // namespace oomdrill::rightsize
