#include <gtest/gtest.h>

#include <cmath>

#include "ramp.h"
#include "steps.h"

namespace oomdrill::plan {
namespace {

std::uint64_t bytes_of(const Step& step) { return std::get<Grow>(step.action).bytes; }

TEST(Ramp, IsExactAfterAYearToo) {
  const Ramp ramp(1e6);
  const std::uint64_t year = std::uint64_t{100} * 86400 * 365;
  EXPECT_EQ(ramp.bytes_by(year), year * 10'000);
  EXPECT_EQ(ramp.bytes_by(year + 1) - ramp.bytes_by(year), 10'000u);
}

TEST(Linear, AddsUpToTheExactLine) {
  const auto plan = test::make("linear:rate=1MB/s");
  std::uint64_t sum = 0;
  for (std::uint64_t k = 1; k <= 10'000; ++k) {
    const auto step = plan->next();
    sum += bytes_of(*step);
    ASSERT_EQ(step->due, std::chrono::milliseconds(10) * k);
    ASSERT_EQ(sum, 10'000 * k);
  }
}

TEST(Linear, RoundingNeverAddsUp) {
  for (const char* text : {"linear:rate=999999/s", "linear:rate=1234567/s", "linear:rate=100MB/min",
                           "linear:rate=777KiB/h", "linear:rate=3/s"}) {
    const auto plan = test::make(text);
    const double rate = *plan->nominal_rate();
    std::uint64_t sum = 0;
    for (int i = 0; i < 50'000; ++i) {
      const auto step = plan->next();
      sum += bytes_of(*step);
      const double exact = rate * to_seconds(step->due);
      ASSERT_LE(std::fabs(static_cast<double>(sum) - exact), 1.0 + exact * 1e-12) << text << i;
    }
  }
}

TEST(Linear, ASlowRateTakesWholePages) {
  const auto plan = test::make("linear:rate=100/s");
  const auto step = plan->next();
  EXPECT_EQ(step->due, std::chrono::milliseconds(40'960));
  EXPECT_EQ(bytes_of(*step), 4096u);
}

TEST(Linear, AFastRateStaysAtTenMilliseconds) {
  const auto plan = test::make("linear:rate=10GB/s");
  const auto step = plan->next();
  EXPECT_EQ(step->due, std::chrono::milliseconds(10));
  EXPECT_EQ(bytes_of(*step), 100'000'000u);
}

TEST(Linear, UnpacedIsAlwaysDue) {
  const auto plan = test::make("linear:rate=max");
  EXPECT_TRUE(std::isinf(*plan->nominal_rate()));
  for (int i = 0; i < 100; ++i) {
    const auto step = plan->next();
    EXPECT_EQ(step->due, Nanoseconds(0));
    EXPECT_EQ(bytes_of(*step), 1u << 20);
  }
}

TEST(Linear, AbsurdRatesStandStillInsteadOfOverflowing) {
  const auto fast = test::make("linear:rate=9000000TB/s");
  std::uint64_t sum = 0;
  for (int i = 0; i < 1000; ++i) sum += bytes_of(*fast->next());
  EXPECT_EQ(sum, std::uint64_t{1} << 62);
  const auto slow = test::make("linear:rate=0.000000001/h");
  Nanoseconds last{0};
  for (int i = 0; i < 10; ++i) {
    const auto step = slow->next();
    ASSERT_GE(step->due, last);
    last = step->due;
  }
  EXPECT_EQ(last, Nanoseconds::max());
}

}  // namespace
}  // namespace oomdrill::plan
