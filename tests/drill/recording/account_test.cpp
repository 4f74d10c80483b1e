#include "recording/account.h"

#include <gtest/gtest.h>

#include "../events.h"

namespace oomdrill::recording {
namespace {

using test::account_of;
using test::event_line;

TEST(Account, HoldsWhatADrillSays) {
  const Account account = account_of(test::killed_drill());
  ASSERT_TRUE(account.leak);
  EXPECT_EQ(account.leak->pattern, "linear");
  EXPECT_EQ(account.leak->rate_bytes_per_s, 8e6);
  ASSERT_EQ(account.kills.size(), 1U);
  EXPECT_EQ(account.kills[0].scope, "own_limit");
  EXPECT_EQ(account.kills[0].before, 0U);
  EXPECT_EQ(account.kills[0].after, 1U);
  EXPECT_EQ(account.kills[0].used_bytes, 66000000U);
  EXPECT_EQ(account.kills[0].victim_name, "leaksim");
  EXPECT_EQ(account.kills_total, 1U);
  EXPECT_EQ(account.peak_bytes, 67108864U);
  ASSERT_TRUE(account.exited);
  EXPECT_EQ(account.exited->verdict, "oom_killed");
  EXPECT_EQ(account.exited->exit_code, 137U);
  EXPECT_EQ(account.lost, 0U);
  EXPECT_NEAR(*account.after_s(account.kills[0].time), 8.13, 1e-6);
}

TEST(Account, SecondsCountFromTheWorkloadWhereNothingLeaks) {
  const Account account = account_of(event_line("workload.started", 5, R"("command":"make")") +
                                     event_line("workload.exited", 7, R"("verdict":"failed")"));
  EXPECT_NEAR(*account.after_s(account.exited->time), 2, 1e-6);
  EXPECT_EQ(Account().after_s(WallTime{}), std::nullopt);
}

TEST(Account, GapsInTheNumbersAreLostEvents) {
  const auto lost = [](std::string_view lines) { return account_of(lines).lost; };
  EXPECT_EQ(lost(event_line("memory.sample", 0, R"("seq":1)") +
                 event_line("memory.sample", 1, R"("seq":4)") +
                 event_line("memory.sample", 2, R"("seq":5)")),
            2U);
  // Two programs number their events apart.
  EXPECT_EQ(lost(event_line("memory.sample", 0, R"("seq":1)") +
                 event_line("leak.started", 0, R"("seq":1)") +
                 event_line("memory.sample", 1, R"("seq":2)") +
                 event_line("leak.progress", 1, R"("seq":3)")),
            1U);
  // The probe's own count and the gap are the same events.
  EXPECT_EQ(lost(event_line("memory.sample", 0, R"("seq":1)") +
                 event_line("probe.stopped", 1, R"("seq":4,"dropped":3)")),
            3U);
}

TEST(Account, SeveralLeaksInOneStreamShowNoGaps) {
  EXPECT_EQ(account_of(event_line("leak.started", 0, R"("seq":1)") +
                       event_line("leak.started", 0, R"("seq":1)") +
                       event_line("leak.progress", 1, R"("seq":9)") +
                       event_line("leak.progress", 1, R"("seq":20)"))
                .lost,
            0U);
}

TEST(Account, CountsKillsAndKeepsABoundedNumber) {
  std::string lines;
  for (int i = 0; i < 200; ++i) {
    lines += event_line("memory.oom_kill", i, R"("kills":2)");
    lines += event_line("memory.threshold", i, R"("threshold_percent":75)");
    lines += event_line("probe.warning", i, R"("message":"m")");
  }
  const Account account = account_of(lines);
  EXPECT_EQ(account.kills_total, 400U);
  EXPECT_EQ(account.kills.size(), Account::kKept);
  EXPECT_EQ(account.thresholds.size(), Account::kKept);
  EXPECT_EQ(account.warnings.size(), Account::kKept);
}

TEST(Account, TellsSinceWhenTheLimitWasReached) {
  const auto sample = [](double time, std::uint64_t used, int kills = 0) {
    return event_line(
        "memory.sample", time,
        fmt::format(R"("used_bytes":{},"limit_bytes":1000,"oom_kills":{})", used, kills));
  };
  const auto since = [](std::string_view lines) {
    const Account account = account_of(event_line("leak.started", 0) + std::string(lines));
    return account.full_since ? account.after_s(*account.full_since) : std::nullopt;
  };
  EXPECT_EQ(since(sample(1, 980)), std::nullopt);
  EXPECT_EQ(since(sample(1, 980) + sample(2, 990) + sample(3, 1000)), 2);
  EXPECT_EQ(since(sample(2, 990) + sample(3, 900) + sample(4, 995)), 4);
  // The victim's memory is gone before its death is told.
  EXPECT_EQ(since(sample(2, 990) + sample(3, 100, 1) + event_line("memory.oom_kill", 4) +
                  sample(5, 100, 1)),
            2);
}

TEST(Account, ARateThatTheLimitHindersIsNotTheLeaks) {
  const auto progress = [](double time, double percent, double rate) {
    return event_line("leak.progress", time,
                      fmt::format(R"("used_percent":{},"achieved_bytes_per_s":{})", percent, rate));
  };
  const Account account = account_of(progress(1, 50, 8e6) + progress(2, 99.9, 1e6));
  EXPECT_EQ(account.leak_state->achieved_bytes_per_s, 1e6);
  EXPECT_EQ(account.unhindered->achieved_bytes_per_s, 8e6);
  EXPECT_FALSE(account_of(progress(2, 99.9, 1e6)).unhindered);
}

TEST(Account, EventsWithoutTheirFieldsAreNoFacts) {
  const Account account =
      account_of(event_line("memory.sample", 0) + event_line("leak.started", 0) +
                 event_line("memory.oom_kill", 1) + event_line("workload.exited", 1));
  EXPECT_FALSE(account.usage);
  EXPECT_FALSE(account.peak_bytes);
  EXPECT_FALSE(account.leak->used_bytes);
  EXPECT_FALSE(account.kills[0].before);
  EXPECT_FALSE(account.exited->exit_code);
}

}  // namespace
}  // namespace oomdrill::recording
