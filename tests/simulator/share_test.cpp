#include "share.h"

#include <gtest/gtest.h>

#include <vector>

#include "plan/plan.h"

namespace oomdrill::simulator {
namespace {

std::unique_ptr<plan::Plan> make(const std::string& pattern) {
  auto plan = plan::make_plan(pattern, {}, 7);
  EXPECT_TRUE(plan) << pattern;
  return std::move(*plan);
}

TEST(Share, PartsAddUpToThePlanAtEveryStep) {
  for (const char* pattern :
       {"linear:rate=1000003B/s", "burst:size=10MB,interval=1s", "fragment:round=1MB"}) {
    const auto whole = make(pattern);
    std::vector<std::unique_ptr<plan::Plan>> parts;
    for (std::uint64_t i = 0; i < 3; ++i) parts.push_back(share(make(pattern), i, 3));
    std::uint64_t expected = 0;
    std::uint64_t sum = 0;
    std::vector<std::uint64_t> each(3);
    for (int step = 0; step < 200; ++step) {
      const auto next = whole->next();
      if (!next) break;
      expected += plan::growth(next->action);
      for (std::size_t i = 0; i < 3; ++i) {
        const auto part = parts[i]->next();
        ASSERT_TRUE(part);
        EXPECT_EQ(part->due, next->due);
        each[i] += plan::growth(part->action);
        sum += plan::growth(part->action);
      }
      EXPECT_EQ(sum, expected) << pattern << " at step " << step;
    }
    EXPECT_LE(each[0] - each[2], 4096u) << pattern;  // one block, or one byte
    EXPECT_NEAR(*parts[0]->nominal_rate() * 3, *whole->nominal_rate(), 1e-6);
  }
}

TEST(Share, OfOneIsThePlanItself) {
  auto plan = make("linear");
  const plan::Plan* before = plan.get();
  EXPECT_EQ(share(std::move(plan), 0, 1).get(), before);
}

TEST(Share, OfAnAmount) {
  EXPECT_EQ(share(std::uint64_t{10}, 0, 3), 4u);
  EXPECT_EQ(share(std::uint64_t{10}, 1, 3), 3u);
  EXPECT_EQ(share(std::uint64_t{10}, 2, 3), 3u);
  EXPECT_EQ(share(UINT64_MAX, 0, 2), UINT64_MAX / 2 + 1);
}

}  // namespace
}  // namespace oomdrill::simulator
