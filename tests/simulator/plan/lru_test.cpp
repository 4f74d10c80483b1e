#include <gtest/gtest.h>

#include <map>

#include "steps.h"

namespace oomdrill::plan {
namespace {

constexpr std::string_view kSmall = "lru:cache=1MiB,block=256,next=512,turn=2MiB,rate=64MiB/s";

TEST(Lru, FillsTheCacheAndStaysWithinIt) {
  const auto plan = test::make(kSmall);
  Totals totals;
  for (int i = 0; i < 5000; ++i) {
    totals.apply(*plan->next());
    ASSERT_LE(totals.live(), 1u << 20);
    if (i > 500) {
      ASSERT_GT(totals.live(), (1u << 20) * 90 / 100);
    }
  }
}

TEST(Lru, SizesAlternateByTurns) {
  const auto plan = test::make(kSmall);
  std::map<std::uint32_t, std::pair<std::uint64_t, std::uint64_t>> inserted;  // size, bytes
  while (inserted.size() < 5) {
    const auto step = plan->next();
    if (const auto* allocate = std::get_if<Allocate>(&step->action)) {
      inserted[allocate->group].first = allocate->block_bytes;
      inserted[allocate->group].second += allocate->count * allocate->block_bytes;
    }
  }
  for (std::uint32_t group = 0; group < 4; ++group) {
    EXPECT_EQ(inserted[group].first, group % 2 == 0 ? 256u : 512u);
    EXPECT_EQ(inserted[group].second, 2u << 20);
  }
}

TEST(Lru, TheOldestGoFirst) {
  // Of the generation that came before nearly all is gone when twice the cache was inserted since.
  const auto left = [](std::string_view text) {
    const auto plan = test::make(text);
    std::map<std::uint32_t, std::uint64_t> counts;
    for (;;) {
      const auto step = plan->next();
      if (const auto* allocate = std::get_if<Allocate>(&step->action)) {
        if (allocate->group == 2) return counts[0];
        counts[allocate->group] += allocate->count;
      } else if (const auto* rule = std::get_if<FreeSampled>(&step->action)) {
        EXPECT_LE(rule->count, counts[rule->group]);
        counts[rule->group] -= rule->count;
      }
    }
  };
  const std::string small(kSmall);
  EXPECT_LT(left(small + ",sample=20"), left(small));
  EXPECT_LT(left(small), left(small + ",sample=1"));
  EXPECT_LT(left(small), 4096u / 50);
}

TEST(Lru, MayHaveMoreAtEachTurn) {
  const auto plan = test::make(std::string(kSmall) + ",grow=256KiB");
  Totals totals;
  std::map<std::uint32_t, std::uint64_t> most;  // live, by the turn
  std::uint32_t turn = 0;
  while (turn < 8) {
    const auto step = plan->next();
    totals.apply(*step);
    if (const auto* allocate = std::get_if<Allocate>(&step->action)) turn = allocate->group;
    most[turn] = std::max(most[turn], totals.live());
  }
  for (std::uint32_t each = 0; each < 8; ++each) {
    const std::uint64_t cache = (1u << 20) + each * (256u << 10);
    EXPECT_LE(most[each], cache);
    EXPECT_GT(most[each], cache * 95 / 100);
  }
}

TEST(Lru, RefusesWhatIsNoCache) {
  for (const char* text : {"lru:cache=1KiB", "lru:block=8", "lru:next=1MiB", "lru:sample=0",
                           "lru:turn=0", "lru:rate=0", "lru:grow=x"}) {
    EXPECT_FALSE(make_plan(text, {}, 1)) << text;
  }
}

}  // namespace
}  // namespace oomdrill::plan
