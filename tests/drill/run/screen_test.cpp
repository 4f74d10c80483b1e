#include "run/screen.h"

#include <gtest/gtest.h>

#include <sstream>

#include "../events.h"
#include "recording/reader.h"

namespace oomdrill::run {
namespace {

using test::event_line;

std::vector<std::string> narrated(std::string_view lines) {
  std::vector<std::string> out;
  recording::Account account;
  recording::Reader reader([&](const recording::Record& record) {
    account.note(record);
    if (auto line = narrate(record, account)) out.push_back(std::move(*line));
  });
  reader.feed(lines);
  return out;
}

TEST(Screen, APipeGetsLinesAndNoControlCharacters) {
  std::ostringstream out;
  Screen screen(out, 0);
  screen.live("ten percent");
  screen.line("one");
  screen.live("twenty percent");
  screen.clear();
  screen.line("two");
  EXPECT_EQ(out.str(), "one\ntwo\n");
}

TEST(Screen, LinesStandAboveTheLiveLine) {
  std::ostringstream out;
  Screen screen(out, 80);
  screen.live("50 %");
  screen.line("event");
  screen.live("51 %");
  screen.clear();
  EXPECT_EQ(out.str(), "\r\x1b[K50 %\r\x1b[Kevent\n\r\x1b[K51 %\r\x1b[K");
}

TEST(Screen, TheLiveLineNeverWraps) {
  std::ostringstream out;
  Screen screen(out, 5);
  screen.live("→→→→→→→→");
  EXPECT_EQ(out.str(), "\r\x1b[K→→→→");
}

TEST(Narration, TellsTheStoryAndLeavesSamplesToTheRecording) {
  const auto lines = narrated(
      event_line("workload.started", -0.1, R"("command":"leaksim --rate 8MB/s")") +
      event_line("leak.started", 0,
                 R"("pattern":"linear","rate_bytes_per_s":8000000,"used_bytes":2097152,)"
                 R"("limit_bytes":67108864)") +
      event_line("memory.sample", 1, R"("used_bytes":1)") +
      event_line("memory.threshold", 6,
                 R"("threshold_percent":75.0,"direction":"up","used_bytes":50331648,)"
                 R"("growth_bytes_per_s":8000000,"eta_oom_s":2.097)") +
      event_line("memory.threshold", 6.5, R"("threshold_percent":75.0,"direction":"down")") +
      event_line("memory.oom_kill", 8.13,
                 R"("kills":1,"scope":"own_limit","limit_bytes":67108864,)"
                 R"("victim":{"name":"leaksim"},"survived":false)") +
      event_line("workload.exited", 8.14,
                 R"("verdict":"oom_killed","exit_code":137,"signal":"SIGKILL")"));
  EXPECT_EQ(lines, (std::vector<std::string>{
                       "   0.00 s  leak starts: linear, 8.00 MB/s, 2.0 MiB of 64.0 MiB used",
                       "   6.00 s  75 % passed at 48.0 MiB, 2.10 s to the limit at 8.00 MB/s",
                       "   8.13 s  OOM kill: own_limit of 64.0 MiB, victim leaksim",
                       "   8.14 s  workload ended: oom_killed, exit code 137 (SIGKILL)"}));
}

TEST(Narration, HostileNamesDoNotReachTheTerminal) {
  const auto lines = narrated(event_line("probe.warning", 0, R"("message":"\u001b[2Jx\n")"));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0], "           probe: ?[2Jx?");
}

TEST(Gauge, FillsWithUsage) {
  Gauge gauge{.used_bytes = 32 << 20, .limit_bytes = 64 << 20, .bytes_per_s = 8e6, .eta_s = 4.19};
  EXPECT_EQ(gauge.text(),
            "[############------------] 32.0 MiB of 64.0 MiB   50.0 %  8.00 MB/s  OOM in 4.19 s");
  gauge = {.used_bytes = 128 << 20, .limit_bytes = 64 << 20};
  EXPECT_EQ(gauge.text(), "[########################] 128.0 MiB of 64.0 MiB  200.0 %");
  gauge.killing = true;
  EXPECT_TRUE(gauge.text().ends_with("200.0 %  OOM kill"));
  gauge.limit_bytes = 0;
  EXPECT_NE(gauge.text().find("0.0 %"), std::string::npos);
}

}  // namespace
}  // namespace oomdrill::run
