#include "run/summary.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "../events.h"
#include "run/drills.h"

namespace oomdrill::run {
namespace {

using nlohmann::json;
using test::account_of;
using test::event_line;

Drill drill_of(std::string_view lines) {
  Drill drill;
  drill.memory_bytes = 64 << 20;
  drill.engine = "cgroup";
  drill.where = "/sys/fs/cgroup/memory/d";
  drill.workload = "leaksim --rate 8MB/s";
  drill.recording = "drill.jsonl";
  drill.expected = "oom_killed";
  recording::Reader reader([&](const recording::Record& record) { drill.account.note(record); });
  reader.feed(lines);
  reader.finish();
  drill.counts = reader.counts();
  drill.problems = reader.problems();
  drill.outside.before.emplace();
  drill.outside.before->oom_kill = 0;
  drill.outside.after.emplace();
  drill.outside.after->oom_kill = drill.account.kills_total;
  drill.outside.after->peak_bytes = 64 << 20;
  drill.outside.status = 137 << 8;
  conclude(drill);
  return drill;
}

TEST(Summary, SaysWhatHappenedInOneFactALine) {
  // 65,000,000 bytes of headroom at 8 MB/s: 8.125 s, in steps of 10 ms. 256 KiB of what is used at
  // the start were only charged ahead.
  EXPECT_EQ(text_summary(drill_of(test::killed_drill())),
            R"(verdict      oom_killed (certain): own limit, oom_kill 0 → 1 outside, 0 → 1 inside
killed       after 8.13 s, at 62.9 MiB of 64.0 MiB (own: memory.limit_in_bytes), victim leaksim
peak         64.0 MiB (100.0 % of 64.0 MiB)
rate         8.00 MB/s asked, 7.99 MB/s achieved
predicted    oom_killed after 8.13 s, actual 8.13 s (+0.0 %)
             the plan linear in virtual time, from 2.3 MiB at its start to 64.0 MiB
recording    drill.jsonl: 8 events, 0 lost
expected     oom_killed: yes
)");
}

TEST(Summary, JsonHoldsTheSameFacts) {
  const json summary = json::parse(json_summary(drill_of(test::killed_drill())));
  EXPECT_NEAR(summary["kill"]["after_s"].get<double>(), 8.13, 1e-6);
  EXPECT_EQ(summary["kill"]["used_bytes"], 66000000);
  EXPECT_EQ(summary["kill"]["limit_bytes"], 64 << 20);
  EXPECT_EQ(summary["verdict"], "oom_killed");
  EXPECT_EQ(summary["confidence"], "certain");
  EXPECT_EQ(summary["as_expected"], true);
  EXPECT_EQ(summary["evidence"]["outside"]["before"]["oom_kill"], 0);
  EXPECT_EQ(summary["evidence"]["outside"]["after"]["oom_kill"], 1);
  EXPECT_EQ(summary["evidence"]["inside"]["oom_kill_after"], 1);
  EXPECT_TRUE(summary["evidence"]["disagreements"].empty());
  EXPECT_NEAR(summary["prediction"]["after_s"].get<double>(), 8.13, 1e-6);
  EXPECT_NEAR(summary["prediction"]["error_percent"].get<double>(), 0, 0.1);
  EXPECT_TRUE(summary["alarms"].is_array());
  EXPECT_TRUE(summary["scaling"].is_array());
}

TEST(Summary, WhatIsNotKnownIsLeftOut) {
  const Drill drill =
      drill_of(event_line("workload.started", 0, R"("command":"make")") +
               event_line("workload.exited", 2, R"("verdict":"completed","exit_code":137)"));
  const std::string text = text_summary(drill);
  for (const char* absent : {"killed ", "rate ", "predicted "}) {
    EXPECT_EQ(text.find(absent), text.find("oom_killed ") == 0 ? 0 : std::string::npos) << text;
  }
  const json summary = json::parse(json_summary(drill));
  EXPECT_TRUE(summary["kill"].is_null());
  EXPECT_TRUE(summary["leak"].is_null());
  EXPECT_TRUE(summary["prediction"].is_null());
  EXPECT_EQ(summary["as_expected"], false);
}

TEST(Summary, AKillThatTheProbeDidNotLiveToTellIsStillAKill) {
  Drill drill =
      drill_of(event_line("probe.started", 0, R"("limit_bytes":67108864,"limit_source":"own")") +
               event_line("workload.started", 1, R"("command":"x")") +
               event_line("memory.sample", 2, R"("used_bytes":67000000,"limit_bytes":67108864)"));
  drill.outside.after->oom_kill = 2;
  drill.outside.status = 9;
  drill.outside.ended = drill.account.usage->time + std::chrono::seconds(1);
  conclude(drill);
  const json summary = json::parse(json_summary(drill));
  EXPECT_EQ(summary["verdict"], "oom_killed");
  EXPECT_EQ(summary["confidence"], "likely");
  EXPECT_EQ(summary["kill"]["told_by"], "outside");
  EXPECT_EQ(summary["kill"]["kills"], 2);
  EXPECT_NEAR(summary["kill"]["after_s"].get<double>(), 2, 1e-6);
  EXPECT_EQ(summary["kill"]["used_bytes"], 67000000);
  EXPECT_NE(text_summary(drill).find("killed       within 2.00 s, the last 1.00 s at the limit, at "
                                     "63.9 MiB of 64.0 MiB (own)"),
            std::string::npos)
      << text_summary(drill);
}

std::string leak_of_worker(int worker, int seed, double rate) {
  return event_line(
      "leak.started", 0.001 * worker,
      fmt::format(R"("worker":{},"pattern":"linear:rate=8MB/s","seed":{},)"
                  R"("rate_bytes_per_s":{},"used_bytes":262144,"limit_bytes":67108864)",
                  worker, seed, rate));
}

TEST(Summary, MemoryThatTheKernelTakesBackIsNotPredictedToKill) {
  for (const char* kind : {"file", "file:clean", "untouched"}) {
    const Drill drill = drill_of(event_line(
        "leak.started", 0,
        fmt::format(R"("pattern":"linear","kind":"{}","rate_bytes_per_s":8000000,"used_bytes":0,)"
                    R"("limit_bytes":67108864)",
                    kind)));
    EXPECT_FALSE(drill.prediction);
    EXPECT_FALSE(prediction_error_percent(drill));
    EXPECT_NE(text_summary(drill).find(
                  fmt::format("predicted    no kill: memory of the kind {} is", kind)),
              std::string::npos)
        << text_summary(drill);
  }
}

TEST(Summary, WorkersAreNotPredictedByOneOfThem) {
  // They carry one plan out together, or each a plan of its own.
  std::string together;
  std::string each;
  for (int worker = 1; worker <= 4; ++worker) {
    together += leak_of_worker(worker, 1, 2e6);
    each += leak_of_worker(worker, worker, 8e6);
  }
  const double one = to_seconds(drill_of(leak_of_worker(1, 1, 8e6)).prediction->after);
  EXPECT_NEAR(one, 8.4, 0.1);
  EXPECT_NEAR(to_seconds(drill_of(together).prediction->after), one, 0.02);
  const Drill drill = drill_of(each);
  EXPECT_NEAR(to_seconds(drill.prediction->after), one / 4, 0.02);
  EXPECT_NE(text_summary(drill).find("the plan linear:rate=8MB/s × 4 in"), std::string::npos);
  // One that takes the place of a killed one does not add to them.
  EXPECT_EQ(drill_of(together + event_line("memory.oom_kill", 4, R"("kills":1)") +
                     leak_of_worker(5, 1, 2e6))
                .account.leak->workers,
            4U);
}

TEST(Summary, PageCacheAtTheStartIsTakenBackAtTheLimit) {
  const Drill drill =
      drill_of(event_line("leak.started", 0,
                          R"("pattern":"linear","rate_bytes_per_s":8000000,"kind":"anon",)"
                          R"("used_bytes":8262144,"limit_bytes":67108864)") +
               event_line("memory.sample", 0.1,
                          R"("used_bytes":9000000,"file_bytes":8100000,"shmem_bytes":100000)") +
               // Later cache is the leak's time, not its start.
               event_line("memory.sample", 0.2, R"("used_bytes":9000000,"file_bytes":0)"));
  EXPECT_NEAR(to_seconds(drill.prediction->after), 67.1 / 8, 0.03);
}

TEST(Summary, ALeakByLeapsIsNotBehindItsPlan) {
  const auto progress = [](double at, double asked, int debt) {
    return event_line(
        "leak.progress", at,
        fmt::format(R"("used_bytes":50000000,"limit_bytes":67108864,"used_percent":75,)"
                    R"("allocated_bytes":50000000,"requested_bytes_per_s":{},)"
                    R"("achieved_bytes_per_s":1048178,"debt_bytes":{})",
                    asked, debt));
  };
  const std::string start = event_line(
      "leak.started", 0,
      R"("pattern":"burst","rate_bytes_per_s":12582912,"used_bytes":0,"limit_bytes":67108864)");
  const std::string text = text_summary(drill_of(start + progress(6, 25165824, 24117248)));
  EXPECT_NE(text.find("rate         12.58 MB/s asked, on average: it grows by leaps\n"),
            std::string::npos)
      << text;
  const std::string late = text_summary(drill_of(start + progress(6, 12582912, 24117248)));
  EXPECT_NE(late.find("23.0 MiB behind the plan"), std::string::npos) << late;
}

TEST(Summary, TheFirstAlarmToFireIsWhatIsLearnt) {
  Drill drill = drill_of(test::killed_drill());
  drill.stretch = 64;
  drill.alarms.emplace().source = "guide";
  drill.findings.emplace().alarms = {{.name = "late", .lead_s = -100.75, .why = ""},
                                     {.name = "sooner", .lead_s = -40.75, .why = ""},
                                     {.name = "never", .why = ""}};
  const NamedDrill* guide = *find_drill("guide");
  EXPECT_NE(guide->learnt(drill).find("the first alarm to fire, sooner, comes 40.75 s too late"),
            std::string::npos)
      << guide->learnt(drill);
  drill.findings->alarms.push_back({.name = "early", .lead_s = 7, .why = ""});
  EXPECT_NE(guide->learnt(drill).find("early, comes in time, 7.00 s before"), std::string::npos);
  drill.findings->alarms = {{.name = "never", .why = ""}};
  EXPECT_NE(guide->learnt(drill).find("no alarm of guide fires"), std::string::npos);
}

TEST(Summary, DisagreementIsNeverAsExpected) {
  Drill drill = drill_of(test::killed_drill());
  drill.outside.after->oom_kill = 0;
  conclude(drill);
  EXPECT_FALSE(drill.as_expected());
  EXPECT_NE(text_summary(drill).find("\nDISPUTED     the cgroup's counter says 0 OOM kills"),
            std::string::npos)
      << text_summary(drill);
  drill.expected = "any";
  EXPECT_FALSE(drill.as_expected());
}

TEST(Summary, BrokenLinesAreNamed) {
  const std::string text = text_summary(drill_of(test::killed_drill() + "{broken\nhello\n"));
  EXPECT_NE(text.find("1 other lines, 1 broken lines"), std::string::npos) << text;
  EXPECT_NE(text.find("line 9: "), std::string::npos) << text;
}

TEST(Summary, WhatDidNotComeAboutIsSaid) {
  const Drill drill =
      drill_of(event_line("leak.started", 0,
                          R"("pattern":"linear","rate_bytes_per_s":8000000,"used_bytes":0,)"
                          R"("limit_bytes":67108864)") +
               event_line("leak.stopped", 2, R"("reason":"signal")") +
               event_line("workload.exited", 2, R"("verdict":"stopped","exit_code":0)"));
  EXPECT_NE(text_summary(drill).find("which did not come about"), std::string::npos);
  EXPECT_TRUE(json::parse(json_summary(drill))["prediction"]["actual_s"].is_null());
}

TEST(Summary, ALeakThatStopsByItselfIsComparedToo) {
  const Drill drill =
      drill_of(event_line("leak.started", 0,
                          R"("pattern":"linear","rate_bytes_per_s":8000000,"used_bytes":0,)"
                          R"("limit_bytes":67108864,"until_bytes":40000000)") +
               event_line("leak.stopped", 5.1, R"("reason":"until")") +
               event_line("workload.exited", 5.1, R"("verdict":"completed","exit_code":0)"));
  EXPECT_NE(text_summary(drill).find("until after 5.00 s, actual 5.10 s (+2.0 %)"),
            std::string::npos)
      << text_summary(drill);
}

TEST(Summary, HostileTextStaysText) {
  const Drill drill = drill_of(
      event_line(
          "memory.oom_kill", 1,
          R"("scope":"own_limit\u001b[2J","victim":{"name":"a\u001b]0;x\u0007\u009bm\nb"})") +
      event_line("workload.exited", 1, R"("verdict":"oom_killed","signal":"\u001b[31m")"));
  const std::string text = text_summary(drill);
  EXPECT_EQ(text.find_first_of("\x1b\x07"), std::string::npos);
  EXPECT_EQ(text.find("\xc2\x9b"), std::string::npos);
  EXPECT_FALSE(json::parse(json_summary(drill)).is_null());
}

TEST(Printable, ReplacesControlsAndKeepsTheRest) {
  EXPECT_EQ(printable("a\x1b[0m\tb\x7f→ü"), "a?[0m?b?→ü");
  EXPECT_EQ(printable("\xc2\x9b"
                      "x\xc2\xa0"),
            "?x\xc2\xa0");
  EXPECT_EQ(printable("\xc2"), "\xc2");
}

}  // namespace
}  // namespace oomdrill::run
