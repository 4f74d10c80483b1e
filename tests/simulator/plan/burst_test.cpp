#include <gtest/gtest.h>

#include "steps.h"

namespace oomdrill::plan {
namespace {

TEST(Burst, QuietComesFirst) {
  const auto plan = test::make("burst:size=8MiB,interval=3s");
  for (int i = 1; i <= 100; ++i) {
    const auto step = plan->next();
    ASSERT_EQ(step->due, std::chrono::seconds(3 * i));
    ASSERT_EQ(std::get<Grow>(step->action).bytes, 8u << 20);
  }
}

TEST(Burst, RefusesWhatWouldNotBurst) {
  EXPECT_FALSE(make_plan("burst:size=0", {}, 1));
  EXPECT_FALSE(make_plan("burst:interval=0s", {}, 1));
  EXPECT_FALSE(make_plan("burst:interval=10us", {}, 1));
}

TEST(Burst, EndsBeforeTimeDoes) {
  const auto plan = test::make("burst:size=1MiB,interval=90000d");
  Nanoseconds last{0};
  int steps = 0;
  while (const auto step = plan->next()) {
    ASSERT_GT(step->due, last);
    last = step->due;
    ASSERT_LT(++steps, 10);
  }
  EXPECT_EQ(steps, 1);
}

}  // namespace
}  // namespace oomdrill::plan
