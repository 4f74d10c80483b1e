#include <gtest/gtest.h>

#include <set>

#include "steps.h"

namespace oomdrill::plan {
namespace {

TEST(Fragment, AllocatesARoundAndFreesMostOfIt) {
  const auto plan = test::make("fragment:block=64,step=0,round=1MiB,keep=64,rate=8MiB/s");
  Totals totals;
  std::uint64_t peak = 0;
  int rounds = 0;
  while (rounds < 3) {
    const auto step = plan->next();
    totals.apply(*step);
    if (std::holds_alternative<FreeMost>(step->action)) {
      ++rounds;
      EXPECT_EQ(peak, (1u << 20) + static_cast<std::uint64_t>(rounds - 1) * (1u << 14));
      EXPECT_EQ(totals.live(), static_cast<std::uint64_t>(rounds) * (1u << 14));
      // 125 ms a round at 8 MiB/s, in steps of 10 ms.
      constexpr int kEndsAt[] = {130, 250, 380};
      EXPECT_EQ(step->due, std::chrono::milliseconds(kEndsAt[rounds - 1]));
    }
    peak = totals.live();
  }
}

TEST(Fragment, NeverRunsAheadOfItsRate) {
  const auto plan = test::make("fragment:rate=1MB/s,block=100,round=64KiB");
  Totals totals;
  for (int i = 0; i < 20'000; ++i) {
    const auto step = plan->next();
    totals.apply(*step);
    ASSERT_LE(static_cast<double>(totals.allocated()), 1e6 * to_seconds(step->due) + 1e-6);
  }
}

TEST(Fragment, BlocksGrowByTheStepAndStartAnewAtTheLargest) {
  const auto plan = test::make("fragment:block=32KiB,step=16KiB,round=128KiB,rate=max");
  std::vector<std::uint64_t> sizes;
  while (sizes.size() < 5) {
    const auto step = plan->next();
    if (std::holds_alternative<FreeMost>(step->action)) continue;
    const auto& allocate = std::get<Allocate>(step->action);
    if (sizes.size() == allocate.group) sizes.push_back(allocate.block_bytes >> 10);
  }
  EXPECT_EQ(sizes, (std::vector<std::uint64_t>{32, 48, 64, 32, 48}));
}

TEST(Fragment, TheSeedChoosesTheSurvivors) {
  const auto offsets = [](std::uint64_t seed) {
    const auto plan = test::make("fragment:keep=1000,round=1MiB,rate=max", seed);
    std::vector<std::uint64_t> found;
    while (found.size() < 8) {
      const auto step = plan->next();
      if (const auto* rule = std::get_if<FreeMost>(&step->action)) found.push_back(rule->offset);
    }
    return found;
  };
  EXPECT_EQ(offsets(1), offsets(1));
  EXPECT_NE(offsets(1), offsets(2));
  const auto some = offsets(1);
  EXPECT_GT(std::set<std::uint64_t>(some.begin(), some.end()).size(), 4u);
}

TEST(Fragment, RefusesShapesThatCannotWork) {
  for (const char* text : {"fragment:block=8", "fragment:block=1MiB", "fragment:keep=1",
                           "fragment:round=64,block=64", "fragment:step=1MiB", "fragment:rate=0"}) {
    EXPECT_FALSE(make_plan(text, {}, 1)) << text;
  }
}

}  // namespace
}  // namespace oomdrill::plan
