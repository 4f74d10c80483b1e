#include "pacer.h"

#include <gtest/gtest.h>

namespace oomdrill::simulator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Pacer make(std::string_view text) {
  auto plan = plan::make_plan(text, {}, 1);
  auto nominal = plan::make_plan(text, {}, 1);
  EXPECT_TRUE(plan && nominal);
  return {std::move(*plan), std::move(*nominal)};
}

/// Takes all that is due; the bytes to grow by.
std::uint64_t take_all(Pacer& pacer, Nanoseconds elapsed) {
  std::uint64_t sum = 0;
  while (const auto action = pacer.take(elapsed)) sum += plan::growth(*action);
  return sum;
}

TEST(Pacer, GivesNothingBeforeItsTime) {
  Pacer pacer = make("linear");
  EXPECT_EQ(pacer.next_due(), milliseconds(10));
  EXPECT_FALSE(pacer.take(milliseconds(10) - Nanoseconds(1)));
  const auto action = pacer.take(milliseconds(10));
  ASSERT_TRUE(action);
  EXPECT_EQ(plan::growth(*action), 10'000u);
  EXPECT_FALSE(pacer.take(milliseconds(10)));
  EXPECT_EQ(pacer.next_due(), milliseconds(20));
}

TEST(Pacer, TakesDueGrowthTogether) {
  Pacer pacer = make("linear");
  const auto action = pacer.take(milliseconds(1005));
  ASSERT_TRUE(action);
  EXPECT_EQ(plan::growth(*action), 1'000'000u);
  EXPECT_FALSE(pacer.take(milliseconds(1005)));
}

TEST(Pacer, KeepsFreesApart) {
  Pacer pacer = make("fragment:round=16KiB");
  int frees = 0;
  while (const auto action = pacer.take(seconds(1))) {
    frees += std::holds_alternative<plan::FreeMost>(*action) ? 1 : 0;
  }
  EXPECT_GT(frees, 10);
}

TEST(Pacer, WhatIsLateIsMadeUpForAndIsNoDrift) {
  Pacer pacer = make("linear");
  std::uint64_t achieved = 0;
  // Sleeps that always last 3 ms too long.
  for (Nanoseconds now{0}; now < seconds(60);) {
    now = *pacer.next_due() + milliseconds(3);
    achieved += take_all(pacer, now);
  }
  const Account account = pacer.account(seconds(60), achieved);
  EXPECT_EQ(account.requested, 60'000'000u);
  EXPECT_EQ(account.achieved, 60'000'000u);
  EXPECT_EQ(account.debt, 0u);
  EXPECT_EQ(account.lost, 0u);
  EXPECT_EQ(account.last_due, seconds(60));
}

TEST(Pacer, ReportsWhatIsBehind) {
  Pacer pacer = make("linear");
  const auto first = take_all(pacer, seconds(1));
  const Account account = pacer.account(seconds(3), first);
  EXPECT_EQ(account.requested, 3'000'000u);
  EXPECT_EQ(account.achieved, 1'000'000u);
  EXPECT_EQ(account.debt, 2'000'000u);
  EXPECT_EQ(account.lost, 0u);
}

TEST(Pacer, GivesUpWhatIsTooLateAndSaysHowMuch) {
  Pacer pacer = make("linear");
  const auto late = Pacer::kPatience + seconds(5);
  const auto achieved = take_all(pacer, late);
  // The steps of the last kPatience are made up for; those of the first 5 s,
  // but the one due at exactly 5 s, are lost.
  EXPECT_EQ(achieved, 10'010'000u);
  const Account account = pacer.account(late, achieved);
  EXPECT_EQ(account.requested, 15'000'000u);
  EXPECT_EQ(account.lost, 4'990'000u);
  EXPECT_EQ(account.debt, 0u);
}

TEST(Pacer, CarriesOutFreesHoweverLate) {
  Pacer pacer = make("fragment:round=64KiB,step=0");
  int frees = 0;
  int allocations = 0;
  while (const auto action = pacer.take(seconds(100))) {
    (std::holds_alternative<plan::FreeMost>(*action) ? frees : allocations) += 1;
  }
  EXPECT_GT(frees, 1000);  // 1526 rounds of 64 KiB in 100 s
  EXPECT_GT(allocations, 500);
  EXPECT_LT(allocations, 2000);  // those of the last 10 s
}

TEST(Pacer, UnpacedIsNeverLate) {
  Pacer pacer = make("linear:rate=max");
  EXPECT_TRUE(pacer.unpaced());
  EXPECT_EQ(plan::growth(*pacer.take(seconds(0))), 4u << 20);
  EXPECT_EQ(plan::growth(*pacer.take(seconds(1000))), 4u << 20);
  const Account account = pacer.account(seconds(1000), 8u << 20);
  EXPECT_EQ(account.requested, 8u << 20);
  EXPECT_EQ(account.debt, 0u);
  EXPECT_EQ(account.lost, 0u);
}

TEST(Pacer, EndsWithItsPlan) {
  Pacer pacer = make("burst:interval=90000d");
  EXPECT_TRUE(pacer.take(std::chrono::hours(24) * 90'000 + seconds(1)));
  EXPECT_EQ(pacer.next_due(), std::nullopt);
  EXPECT_FALSE(pacer.take(Nanoseconds::max()));
}

}  // namespace
}  // namespace oomdrill::simulator
