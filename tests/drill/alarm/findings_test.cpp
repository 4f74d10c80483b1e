#include "alarm/findings.h"

#include <gtest/gtest.h>

#include "../events.h"
#include "alarm/report.h"
#include "alarm/sources.h"
#include "alarm/watch.h"

namespace oomdrill::alarm {
namespace {

constexpr double kLimit = 512.0 * (1 << 20);

/// A leak of 1 MB/s into 512 MiB as oomprobe records it, a sample a second, begun at `phase` of a
/// minute; `visible`: the part of it that MemoryUtilization shows.
Watch leak(const AlarmSet& set, double visible = 1, double phase = 0, bool killed = true) {
  SeriesSet series;
  for (const MetricAlarm& each : set.metric) series.want(each);
  want_candidates(series);
  Watch watch(std::move(series));
  recording::Reader reader([&](const recording::Record& record) { watch.note(record); });
  reader.feed(test::event_line("probe.started", phase, R"("limit_bytes":536870912)"));
  reader.feed(test::event_line("leak.started", phase, R"("pattern":"linear","used_bytes":0)"));
  const int end = killed ? 536 : 200;
  for (int i = 0; i <= end; ++i) {
    const double percent = i * 1e6 * 100 / kLimit;
    reader.feed(test::event_line(
        "memory.sample", phase + i,
        fmt::format(R"("used_bytes":{},"shmem_bytes":{},"MemoryUtilization":{},"oom_killed":0)",
                    i * 1'000'000, static_cast<int>(i * 1e6 * (1 - visible)), percent * visible)));
  }
  if (killed) {
    reader.feed(test::event_line("memory.oom_kill", phase + 536.9,
                                 R"("scope":"own_limit","kills":1,"oom_killed":1,)"
                                 R"("limit_bytes":536870912)"));
  }
  reader.finish();
  watch.next_recording();
  return watch;
}

/// The same as a drill of seconds that counts each of them for `said`.
Watch scaled_leak(const AlarmSet& set, double said, std::optional<double> given = {}) {
  SeriesSet series;
  for (const MetricAlarm& each : set.metric) series.want(each);
  Watch watch(std::move(series), given);
  for (int nth = 0; nth < 2; ++nth) {
    recording::Reader reader([&](const recording::Record& record) { watch.note(record); });
    const double at = nth * 10.0;
    reader.feed(test::event_line("drill.started", at, fmt::format(R"("stretch":{})", said)));
    reader.feed(test::event_line("leak.started", at + 1, R"("pattern":"linear","used_bytes":0)"));
    reader.feed(test::event_line("memory.oom_kill", at + 9, R"("scope":"own_limit","kills":1)"));
    reader.finish();
    watch.next_recording();
  }
  return watch;
}

TEST(Watch, TakesTheStretchOfTheRecording) {
  const auto set = *load_alarms("guide");
  const auto watch = scaled_leak(set, 64);
  EXPECT_EQ(watch.stretch(), 64);
  EXPECT_NEAR(watch.incident()->after_s(*watch.incident()->kill), 8 * 64, 1e-6);
  EXPECT_FALSE(watch.is_mixed());
  // What the user says goes before.
  EXPECT_EQ(scaled_leak(set, 64, 2).stretch(), 2);
}

TEST(Watch, SaysWhenRecordingsHaveNoCommonScale) {
  Watch watch{SeriesSet()};
  recording::Reader reader([&](const recording::Record& record) { watch.note(record); });
  reader.feed(test::event_line("drill.started", 0, R"("stretch":64)") +
              test::event_line("memory.sample", 1, R"("used_bytes":1)") +
              test::event_line("drill.started", 2, R"("stretch":60)"));
  reader.finish();
  EXPECT_TRUE(watch.is_mixed());
}

Question question(int delay = 0, std::optional<int> lead = std::nullopt) {
  Question asked;
  asked.delay = seconds(delay);
  if (lead) asked.lead = seconds(*lead);
  return asked;
}

Findings found(const AlarmSet& set, const Watch& watch, const Question& asked) {
  return examine(set, watch.series(), *watch.incident(), asked);
}

TEST(Findings, ASampleAfterTheKillIsNotComeBack) {
  const auto set = *load_alarms("guide");
  SeriesSet series;
  for (const MetricAlarm& each : set.metric) series.want(each);
  Watch watch(std::move(series), 64);
  recording::Reader reader([&](const recording::Record& record) { watch.note(record); });
  for (int i = 0; i <= 20; ++i) {
    reader.feed(test::event_line("memory.sample", i * 0.05,
                                 fmt::format(R"("MemoryUtilization":{})", i < 20 ? 90 : 1)));
  }
  reader.feed(test::event_line("memory.oom_kill", 1, R"("kills":1,"limit_bytes":536870912)"));
  reader.finish();
  watch.next_recording();
  const auto findings = found(set, watch, question());
  EXPECT_NE(findings.alarms[0].why.find("passed 85 % 64 s before the kill"), std::string::npos)
      << findings.alarms[0].why;
}

TEST(Findings, TheGuidesAlarmsDoNotSayItInTime) {
  const auto set = *load_alarms("guide");
  for (const double phase : {0.0, 13.0, 31.0, 59.0}) {
    const auto watch = leak(set, 1, phase);
    const auto findings = found(set, watch, question());
    ASSERT_EQ(findings.alarms.size(), 3U);
    const Finding& high = findings.alarms[0];
    EXPECT_NE(high.fired, Fired::before) << phase;
    EXPECT_EQ(high.why,
              "MemoryUtilization passed 85 % 80 s before the kill; 2 aligned periods of 60 s need "
              "at least 120 s");
    ASSERT_TRUE(high.alignments);
    EXPECT_EQ(high.alignments->before, 0U);
    EXPECT_EQ(high.alignments->tried, 12U);
    EXPECT_EQ(findings.alarms[2].fired, Fired::never);
    EXPECT_NE(findings.alarms[2].why.find("nobody publishes it"), std::string::npos);
  }
}

TEST(Findings, ASuggestionGivesTheLeadInEveryAlignment) {
  const auto set = *load_alarms("guide");
  const auto asked = question(60, 60);
  const auto findings = found(set, leak(set), asked);
  EXPECT_EQ(findings.met, false);
  const auto& suggestion = findings.alarms[0].suggestion;
  ASSERT_TRUE(suggestion);
  EXPECT_GE(suggestion->lead_s, 60);
  AlarmSet better;
  better.metric.push_back(suggestion->alarm);
  for (double phase = 0; phase < 60; phase += 5) {
    const auto watch = leak(better, 1, phase);
    const auto again = found(better, watch, asked);
    EXPECT_EQ(again.met, true) << phase;
    ASSERT_TRUE(again.alarms[0].lead_s) << phase;
    EXPECT_GE(*again.alarms[0].lead_s, suggestion->lead_s - 1) << phase;
    EXPECT_FALSE(again.alarms[0].suggestion);
  }
}

TEST(Findings, AHigherThresholdWouldNotDo) {
  // The suggestion is the highest that does, and no rule of thumb.
  const auto set = *load_alarms("guide");
  const auto asked = question(60, 60);
  auto suggestion = *found(set, leak(set), asked).alarms[0].suggestion;
  suggestion.alarm.threshold += 1;
  AlarmSet higher;
  higher.metric.push_back(suggestion.alarm);
  double worst = 1e9;
  for (double phase = 0; phase < 60; phase += 5) {
    const auto findings = found(higher, leak(higher, 1, phase), asked);
    worst = std::min(worst, findings.alarms[0].lead_s.value_or(-1));
  }
  EXPECT_LT(worst, 60);
}

TEST(Findings, TheBlindSpotIsNamedAndSharedMemoryShowsIt) {
  const auto set = *load_alarms("guide");
  const auto findings = found(set, leak(set, 0.02), question(30, 60));
  EXPECT_EQ(findings.alarms[0].fired, Fired::never);
  EXPECT_EQ(findings.alarms[0].why,
            "MemoryUtilization never passed 85 %: it was 2.0 % at the highest");
  ASSERT_TRUE(findings.alarms[0].suggestion);
  EXPECT_EQ(findings.alarms[0].suggestion->alarm.metric, "SharedMemoryBytes");
}

TEST(Findings, WithoutAKillThereIsNoLead) {
  const auto set = *load_alarms("guide");
  const auto findings = found(set, leak(set, 1, 0, false), question(0, 60));
  EXPECT_EQ(findings.met, false);
  EXPECT_EQ(findings.alarms[0].fired, Fired::never);
  EXPECT_FALSE(findings.alarms[0].lead_s);
}

TEST(Findings, KillsAreCountedWhereTheProbePublishes) {
  auto set = *load_alarms("guide");
  set.metric[2].metric_namespace = "oomdrill";
  const auto findings = found(set, leak(set), question());
  EXPECT_EQ(findings.alarms[2].fired, Fired::after);
  EXPECT_LT(*findings.alarms[2].lead_s, 0);
  EXPECT_GE(*findings.alarms[2].lead_s, -60);
}

TEST(Findings, CompositesAndWhatCannotBeEvaluated) {
  auto set = *load_alarms("guide");
  set.metric[1].threshold = 50;
  set.composite.push_back({"outer", *Rule::parse("ALARM(inner) AND NOT ALARM(nowhere)")});
  set.composite.push_back({"inner", *Rule::parse("ALARM(\"memory-utilization\")")});
  set.composite.push_back({"ring", *Rule::parse("ALARM(ring)")});
  set.other.push_back({"band", "anomaly detection"});
  const auto findings = found(set, leak(set), question());
  ASSERT_EQ(findings.alarms.size(), 7U);
  std::map<std::string, const Finding*> by_name;
  for (const Finding& each : findings.alarms) by_name[each.name] = &each;
  EXPECT_EQ(by_name["outer"]->fired, Fired::before);
  EXPECT_EQ(by_name["outer"]->lead_s, by_name["memory-utilization"]->lead_s);
  EXPECT_NE(by_name["outer"]->why.find("nowhere is not in the set"), std::string::npos);
  EXPECT_EQ(by_name["ring"]->fired, Fired::unknown);
  EXPECT_EQ(by_name["band"]->why, "not evaluated: anomaly detection");
}

TEST(Findings, ACompositesLeadIsOfOneAlignmentAlone) {
  auto set = *load_alarms("guide");
  set.metric[1].threshold = 50;
  auto asked = question(60, 60);
  asked.any_alignment = true;
  const auto alone = found(set, leak(set, 1, 31), asked);
  ASSERT_TRUE(alone.lead_s);
  set.composite.push_back({"any", *Rule::parse("ALARM(\"memory-utilization\")")});
  const auto beside = found(set, leak(set, 1, 31), asked);
  EXPECT_GT(beside.alarms.back().lead_s, alone.lead_s);
  EXPECT_EQ(beside.lead_s, alone.lead_s);
}

TEST(Findings, WhatIsPassedInTheLastSecondsWasPassed) {
  const auto set = *load_alarms("guide");
  SeriesSet series;
  for (const MetricAlarm& each : set.metric) series.want(each);
  Watch watch(std::move(series));
  recording::Reader reader([&](const recording::Record& record) { watch.note(record); });
  for (int i = 0; i <= 12; ++i) {
    reader.feed(test::event_line("memory.sample", 58.6 + i * 0.2,
                                 fmt::format(R"("MemoryUtilization":{})", 1 + 8 * i)));
  }
  reader.feed(test::event_line("memory.oom_kill", 61.2, R"("kills":1,"limit_bytes":67108864)"));
  reader.finish();
  watch.next_recording();
  const auto findings = found(set, watch, question());
  EXPECT_TRUE(findings.alarms[0].why.starts_with("MemoryUtilization passed 85 % 0 s before"))
      << findings.alarms[0].why;
}

TEST(Findings, TheOneShape) {
  const auto set = *load_alarms("guide");
  const auto watch = leak(set);
  const auto asked = question();
  const auto findings = found(set, watch, asked);
  const auto json = json_alarms(findings, *watch.incident());
  ASSERT_EQ(json.size(), 3U);
  for (const auto& alarm : json) {
    for (const char* member : {"name", "fired", "fired_after_s", "lead_s", "why", "transitions"}) {
      EXPECT_TRUE(alarm.contains(member)) << member;
    }
  }
  EXPECT_EQ(json[0]["name"], "ecs-memory-utilization-high");
  EXPECT_EQ(json[2]["fired"], "never");
  EXPECT_TRUE(json[2]["fired_after_s"].is_null());
  EXPECT_EQ(json[0]["transitions"][0]["to"], "OK");
  const std::string text = text_alarms(findings, set, *watch.incident(), asked);
  EXPECT_NE(text.find("no alarm fires before the kill"), std::string::npos) << text;
}

TEST(Findings, AnAlarmThatWasOverWhenTheKillCameIsMarked) {
  auto set = *load_alarms("guide");
  set.metric.resize(2);
  MetricAlarm& low = set.metric[0];
  low.name = "low";
  low.comparison = Comparison::less;
  low.threshold = 40;
  set.metric[1].threshold = 50;
  set.composite.push_back({"both", *Rule::parse("ALARM(low) AND ALARM(\"memory-utilization\")")});
  const auto watch = leak(set);
  const auto asked = question(0, 60);
  const auto findings = found(set, watch, asked);
  EXPECT_EQ(findings.alarms[0].fired, Fired::before);
  EXPECT_TRUE(findings.alarms[0].cleared);
  EXPECT_FALSE(findings.alarms[1].cleared);
  EXPECT_EQ(findings.alarms[2].why,
            "of the alarms that its rule names, these fired: low, memory-utilization; never so "
            "that the rule was true");
  const std::string text = text_alarms(findings, set, *watch.incident(), asked);
  EXPECT_NE(text.find(" before the kill, and is over when that comes\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find(" before the kill: low; 60.0 s required: yes"), std::string::npos) << text;
}

TEST(Findings, NeverMeansInNoAlignment) {
  auto set = *load_alarms("guide");
  set.metric[0].threshold = 95;
  bool fires_elsewhere = false;
  for (int phase = 0; phase < 60; phase += 5) {
    const auto watch = leak(set, 1, phase);
    const auto findings = found(set, watch, question());
    const Finding& high = findings.alarms[0];
    if (high.fired != Fired::never) continue;
    ASSERT_TRUE(high.alignments->best_lead_s);
    fires_elsewhere = true;
    const std::string text = text_alarms(findings, set, *watch.incident(), question());
    EXPECT_NE(text.find("-high: did not fire; in another alignment it would have"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("oom-kills: never fires"), std::string::npos) << text;
  }
  EXPECT_TRUE(fires_elsewhere);
}

TEST(Watch, AStretchedDrillIsTheFullOne) {
  const auto set = *load_alarms("guide");
  SeriesSet series;
  for (const MetricAlarm& each : set.metric) series.want(each);
  Watch watch(std::move(series), 64);
  recording::Reader reader([&](const recording::Record& record) { watch.note(record); });
  reader.feed(test::killed_drill());
  watch.next_recording();
  const auto incident = watch.incident();
  ASSERT_TRUE(incident && incident->kill);
  EXPECT_NEAR(incident->after_s(*incident->kill), 8.13 * 64, 0.01);
}

TEST(Watch, TheFirstKillOfSeveralRecordingsCounts) {
  Watch watch{SeriesSet()};
  for (const double at : {50.0, 20.0, 30.0}) {
    recording::Reader reader([&](const recording::Record& record) { watch.note(record); });
    reader.feed(test::event_line("leak.started", 0));
    reader.feed(test::event_line("memory.oom_kill", at, R"("kills":1)"));
    watch.next_recording();
  }
  EXPECT_EQ(watch.incident()->after_s(*watch.incident()->kill), 20);
}

}  // namespace
}  // namespace oomdrill::alarm
