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
  EXPECT_NEAR(seconds(prediction), 40.0 * kMiB / 8e6, 0.02);
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
  const auto prediction = predict({.pattern = "exponential", .limit_bytes = kMiB}, kDay);
  ASSERT_FALSE(prediction);
  EXPECT_NE(prediction.error().line().find("exponential"), std::string::npos);
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

}  // namespace
}  // namespace oomdrill::predict
