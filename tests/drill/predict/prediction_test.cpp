#include "predict/prediction.h"

#include <gtest/gtest.h>

#include "predict/footprint.h"

namespace oomdrill::predict {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;
constexpr auto kDay = std::chrono::hours(24);

double seconds(const Result<Prediction>& prediction) { return to_seconds(prediction->after); }

TEST(Prediction, ALinearLeakDiesAfterItsHeadroomOverItsRate) {
  const auto prediction =
      predict({.pattern = "linear", .rate_bytes_per_s = 1e6, .limit_bytes = 512 * kMiB}, kDay);
  ASSERT_TRUE(prediction);
  EXPECT_EQ(prediction->end, Prediction::End::oom_kill);
  EXPECT_NEAR(seconds(prediction), 512.0 * kMiB / 1e6, 0.02);
}

TEST(Prediction, StartsFromWhatIsUsedAlready) {
  const auto prediction = predict({.pattern = "linear",
                                   .rate_bytes_per_s = 8e6,
                                   .used_bytes = 24 * kMiB,
                                   .limit_bytes = 64 * kMiB},
                                  kDay);
  ASSERT_TRUE(prediction);
  // And from 256 KiB less: what the kernel has charged ahead is taken back before it kills.
  EXPECT_NEAR(seconds(prediction), 40.25 * kMiB / 8e6, 0.02);
}

TEST(Prediction, ThePatternsOwnSettingsBeatTheRate) {
  const auto prediction = predict(
      {.pattern = "linear:rate=4MB/s", .rate_bytes_per_s = 1e6, .limit_bytes = 40'000'000}, kDay);
  ASSERT_TRUE(prediction);
  EXPECT_NEAR(seconds(prediction), 10, 0.02);
}

TEST(Prediction, ABurstDiesInTheBlockThatDoesNotFit) {
  const auto prediction = predict(
      {.pattern = "burst:size=20MiB,interval=5s", .used_bytes = 4 * kMiB, .limit_bytes = 64 * kMiB},
      kDay);
  ASSERT_TRUE(prediction);
  EXPECT_EQ(prediction->end, Prediction::End::oom_kill);
  // 4 + 3 · 20 = 64 MiB just fits; the fourth does not.
  EXPECT_NEAR(seconds(prediction), 20, 1e-9);
}

TEST(Prediction, StopsWhereTheLeakWouldStop) {
  Leak leak{.pattern = "linear", .rate_bytes_per_s = 1e6, .limit_bytes = 100'000'000};
  leak.until_bytes = 50'000'000;
  auto prediction = predict(leak, kDay);
  ASSERT_TRUE(prediction);
  EXPECT_EQ(prediction->end, Prediction::End::until);
  EXPECT_NEAR(seconds(prediction), 50, 0.02);
  leak.max_bytes = 30'000'000;
  prediction = predict(leak, kDay);
  ASSERT_TRUE(prediction);
  EXPECT_EQ(prediction->end, Prediction::End::max_bytes);
  EXPECT_NEAR(seconds(prediction), 30, 0.02);
  leak.duration = std::chrono::seconds(10);
  prediction = predict(leak, kDay);
  ASSERT_TRUE(prediction);
  EXPECT_EQ(prediction->end, Prediction::End::duration);
  EXPECT_EQ(seconds(prediction), 10);
}

TEST(Prediction, ASlowLeakIsBeyondTheHorizon) {
  const auto prediction =
      predict({.pattern = "linear", .rate_bytes_per_s = 1, .limit_bytes = 1 << 30}, kDay);
  ASSERT_TRUE(prediction);
  EXPECT_EQ(prediction->end, Prediction::End::beyond_horizon);
  EXPECT_EQ(prediction->after, kDay);
}

TEST(Prediction, AnInfiniteRateNeedsNoTime) {
  const auto prediction = predict({.pattern = "linear", .limit_bytes = 64 * kMiB}, kDay);
  ASSERT_TRUE(prediction);
  EXPECT_EQ(prediction->end, Prediction::End::oom_kill);
  EXPECT_EQ(prediction->after.count(), 0);
}

TEST(Prediction, SaysWhatIsWrongWithThePattern) {
  const auto prediction = predict({.pattern = "quadratic", .limit_bytes = kMiB}, kDay);
  ASSERT_FALSE(prediction);
  EXPECT_NE(prediction.error().line().find("quadratic"), std::string::npos);
}

TEST(Prediction, APatternsTextSaysMoreThanItsRate) {
  // leak.started tells the rate in the long run, 1 MB/s; it is not the one at which a step is
  // climbed.
  const auto stairs = predict({.pattern = "staircase:step=20MB,dwell=18s,rate=10MB/s",
                               .rate_bytes_per_s = 1e6,
                               .limit_bytes = 50'000'000},
                              kDay);
  ASSERT_TRUE(stairs);
  EXPECT_NEAR(seconds(stairs), 41, 0.02);
  // It tells none of phases, which does not mean that they are unpaced.
  const auto phases = predict({.pattern = "linear:for=10s,rate=2MB/s;hold:for=5s;linear:rate=3MB/s",
                               .limit_bytes = 50'000'000},
                              kDay);
  ASSERT_TRUE(phases);
  EXPECT_NEAR(seconds(phases), 25, 0.02);
}

TEST(Prediction, ACacheDiesOnlyWhereItDoesNotFit) {
  // Measured in 64 MiB, at 8 MB/s and from 1 MiB on: with 44 and 50 MiB it lived, with 54 MiB it
  // died after 21.3 s and with 58 MiB after 7.9 s.
  const auto with = [](std::string_view cache) {
    return predict({.pattern = "lru:rate=8MB/s,cache=" + std::string(cache),
                    .rate_bytes_per_s = 8e6,
                    .seed = 1,
                    .used_bytes = 1'032'192,
                    .limit_bytes = 64 * kMiB},
                   std::chrono::seconds(30));
  };
  EXPECT_EQ(with("44MiB")->end, Prediction::End::beyond_horizon);
  EXPECT_EQ(with("50MiB")->end, Prediction::End::beyond_horizon);
  EXPECT_EQ(with("54MiB")->end, Prediction::End::oom_kill);
  EXPECT_NEAR(seconds(with("54MiB")), 21.311, 21.311 * 0.05);
  EXPECT_NEAR(seconds(with("58MiB")), 7.882, 7.882 * 0.05);
}

TEST(Footprint, GrowAndShrinkCostWhatTheySay) {
  Footprint footprint;
  footprint.apply({Nanoseconds(0), plan::Grow{10 * kMiB}});
  footprint.apply({Nanoseconds(0), plan::Shrink{4 * kMiB}});
  EXPECT_EQ(footprint.bytes(), 6 * kMiB);
  footprint.apply({Nanoseconds(0), plan::Shrink{40 * kMiB}});
  EXPECT_EQ(footprint.bytes(), 0U);
}

TEST(Footprint, HolesBetweenSurvivorsAreFilledOnlyByWhatFits) {
  constexpr std::uint64_t kCount = 1 << 16;
  const auto after_two_rounds = [](std::uint64_t keep, std::uint64_t second_block) {
    Footprint footprint;
    footprint.apply({Nanoseconds(0), plan::Allocate{kCount, 64, 0}});
    footprint.apply({Nanoseconds(0), plan::FreeMost{0, keep, 0}});
    const std::uint64_t freed = footprint.bytes();
    footprint.apply({Nanoseconds(0), plan::Allocate{kCount / 4, second_block, 1}});
    return footprint.bytes() - freed;
  };
  EXPECT_EQ(after_two_rounds(2, 64), 0U);
  EXPECT_EQ(after_two_rounds(64, 128), 0U);
  const std::uint64_t heap = kCount / 4 * 144;
  EXPECT_NEAR(static_cast<double>(after_two_rounds(2, 128)), heap + heap / 512, 4096);
}

TEST(HeapModel, GivesTheTopBackAndNothingBelowASurvivor) {
  HeapModel heap;
  heap.allocate({1000, 1016, 0});  // 1000 chunks of 1 KiB
  EXPECT_EQ(heap.bytes(), 1'024'000u);
  heap.free_most({0, 1000, 999});  // all but the last
  EXPECT_EQ(heap.bytes(), 1'024'000u);
  heap.allocate({500, 1016, 1});
  EXPECT_EQ(heap.bytes(), 1'024'000u);
  heap.free_most({0, 2, 1});  // the last one too: it joins the hole below it and the top
  EXPECT_EQ(heap.bytes(), 512'000u + (128u << 10));
  heap.free_most({1, 1000, 999});
  EXPECT_EQ(heap.bytes(), 128u << 10);
}

TEST(HeapModel, HolesJoinOnBothSides) {
  HeapModel heap;
  heap.allocate({9, 112, 0});  // 128 bytes each
  heap.free_most({0, 2, 0});   // holes at 1, 3, 5 and 7
  heap.allocate({1, 368, 1});  // 384 bytes fit none of them
  EXPECT_EQ(heap.bytes(), 9 * 128u + 384);
  heap.free_most({0, 4, 0});   // of 0, 2, 4, 6, 8 stay 0 and 8: one hole of 7 * 128
  heap.allocate({2, 368, 1});  // it takes both
  EXPECT_EQ(heap.bytes(), 9 * 128u + 384);
  heap.allocate({1, 120, 1});  // and what is left of it this one
  EXPECT_EQ(heap.bytes(), 9 * 128u + 384);
  heap.allocate({1, 24, 1});
  EXPECT_EQ(heap.bytes(), 9 * 128u + 384 + 32);
}

TEST(HeapModel, ScaledItIsAsLarge) {
  const auto bytes = [](std::uint64_t scale, std::string_view text) {
    HeapModel heap(scale);
    auto plan = plan::make_plan(text, {}, 1);
    for (int i = 0; i < 3000; ++i) {
      const auto step = (*plan)->next();
      if (const auto* blocks = std::get_if<plan::Allocate>(&step->action)) heap.allocate(*blocks);
      if (const auto* most = std::get_if<plan::FreeMost>(&step->action)) heap.free_most(*most);
      if (const auto* some = std::get_if<plan::FreeSampled>(&step->action)) {
        heap.free_sampled(*some);
      }
    }
    return static_cast<double>(heap.bytes());
  };
  for (const char* text : {"comb:rate=16MB/s,fill=8MiB", "lru:rate=16MB/s,cache=16MiB,turn=20MiB",
                           "shift:rate=16MB/s"}) {
    EXPECT_NEAR(bytes(8, text) / bytes(1, text), 1, 0.03) << text;
  }
}

}  // namespace
}  // namespace oomdrill::predict
