#include "monitor.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>

#include "fakes.h"

namespace oomdrill::probe {
namespace {

using fake::has;
using fake::kMiB;
using fake::lines_of;
using fake::ms;
using fake::names_of;

constexpr int kKilled = SIGKILL;  // a wait status
constexpr int exited(int status) { return status << 8; }

Reaped main_end(int status) {
  Reaped reaped;
  reaped.main_ended = true;
  reaped.main_status = status;
  return reaped;
}

/// A reader that pauses.
class Gate final : public telemetry::Sink {
 public:
  bool write(std::span<const char> line) override {
    if (open) text.append(line.data(), line.size());
    return open;
  }
  bool open = true;
  std::string text;
};

TEST(MonitorWithoutAReader, KillsAddUpAndTheVerdictComesFirst) {
  Gate gate;
  fake::Rig rig(gate);
  fake::FakeWorkload workload;
  rig.monitor.start({});
  rig.monitor.workload_started(workload, "leak", 1);
  rig.monitor.tick();
  gate.open = false;
  for (int i = 0; i < 200; ++i) {
    rig.source.next.sample.current = (i % 2 == 0 ? 90 : 60) * kMiB;  // thresholds too
    rig.source.kill();
    rig.step(ms(300));
  }
  rig.source.kill();
  ASSERT_TRUE(rig.monitor.reaped(main_end(kKilled)));
  const auto before = gate.text.size();
  gate.open = true;
  rig.step(ms(1000));
  rig.monitor.stop("workload_exited");
  const auto text = std::string_view(gate.text).substr(before);
  EXPECT_TRUE(text.starts_with(R"({"event":"memory.oom_kill")")) << text;
  std::uint64_t kills = 0;
  for (const auto& line : lines_of(text, "memory.oom_kill")) {
    kills += std::stoull(line.substr(line.find(R"("kills":)") + 8));
  }
  EXPECT_EQ(kills, 201U) << text;
  EXPECT_EQ(lines_of(text, "workload.exited").size(), 1U) << text;
  EXPECT_TRUE(lines_of(text, "memory.threshold").empty()) << "they gave way";
}

class MonitorTest : public ::testing::Test {
 protected:
  /// Starts watching and the workload, and looks once.
  void begin() {
    rig.monitor.start({.pid = 7, .notification = "sigchld+poll", .thresholds = "75%,85%,95%"});
    rig.monitor.workload_started(workload, "leak --fast", 126);
    rig.monitor.tick();
  }
  [[nodiscard]] std::vector<std::string> told(std::string_view name) const {
    return lines_of(sink.text(), name);
  }
  [[nodiscard]] std::string the(std::string_view name) const {
    const auto lines = told(name);
    EXPECT_EQ(lines.size(), 1U) << name << " in\n" << sink.text();
    return lines.empty() ? "" : lines.front();
  }

  telemetry::MemorySink sink;
  fake::Rig rig{sink};
  fake::FakeWorkload workload;
};

TEST_F(MonitorTest, TellsWhatItWatchesThenSamples) {
  begin();
  EXPECT_EQ(names_of(sink.text()), "probe.started workload.started memory.sample");
  const auto started = the("probe.started");
  EXPECT_TRUE(has(started, R"("cgroup_version":"v1")")) << started;
  EXPECT_TRUE(
      has(started, R"("limit_bytes":104857600,"limit_source":"own","limit_complete":true)"));
  EXPECT_TRUE(has(started, R"("limits_considered":{"own":104857600,"host":8589934592})"));
  EXPECT_TRUE(has(started, R"("notification":"sigchld+poll")"));
  EXPECT_TRUE(has(the("workload.started"), R"("command":"leak --fast","oom_score_adj":126)"));
}

TEST_F(MonitorTest, SamplesOnAGridWhateverElseIsLookedAt) {
  begin();
  rig.step(ms(10'000));
  EXPECT_EQ(told("memory.sample").size(), 11U);
  rig.source.next.sample.current = 96 * kMiB;  // dense looks from here on
  rig.step(ms(10'000));
  EXPECT_EQ(told("memory.sample").size(), 21U);
}

TEST_F(MonitorTest, ASampleCarriesTheThreeMetrics) {
  rig.source.next.sample.current = 50 * kMiB + 5000;
  rig.source.next.sample.stat.file = 0;
  rig.source.next.sample.soft_limit = 32 * kMiB;
  begin();
  const auto sample = the("memory.sample");
  EXPECT_TRUE(has(sample, R"("MemoryUtilization":50)")) << sample;
  EXPECT_TRUE(has(sample, R"("memory_reservation":33554432)")) << sample;
  EXPECT_TRUE(has(sample, R"("oom_killed":0)")) << sample;
}

TEST_F(MonitorTest, NumbersAreRoundedToWhatTheyMean) {
  rig.source.next.sample.current = 33 * kMiB + 12345;
  begin();
  EXPECT_TRUE(has(the("memory.sample"), R"("used_percent":33.01,)")) << the("memory.sample");
}

TEST_F(MonitorTest, ThresholdsAreToldOncePerCrossing) {
  begin();
  for (const std::uint64_t used : {80U, 82U, 74U, 86U, 60U}) {
    rig.source.next.sample.current = used * kMiB;
    rig.step(ms(1000));
  }
  const auto lines = told("memory.threshold");
  ASSERT_EQ(lines.size(), 4U) << sink.text();
  EXPECT_TRUE(has(lines[0], R"("threshold_percent":75,"direction":"up")"));
  EXPECT_TRUE(has(lines[1], R"("threshold_percent":85,"direction":"up")"));
  EXPECT_TRUE(has(lines[2], R"("threshold_percent":85,"direction":"down")"));
  EXPECT_TRUE(has(lines[3], R"("threshold_percent":75,"direction":"down")"));
}

TEST_F(MonitorTest, LastWordsComeBeforeTheLimit) {
  begin();
  for (std::uint64_t used = 80; used <= 99; ++used) {
    rig.source.next.sample.current = used * kMiB;
    rig.step(ms(100));
  }
  const auto words = told("memory.last_words");
  ASSERT_FALSE(words.empty());
  EXPECT_TRUE(has(words.back(), R"("used_bytes":103809024)")) << words.back();
}

TEST_F(MonitorTest, AKillAndTheDeathItCausedAreOneEventEach) {
  begin();
  rig.source.next.sample.current = 99 * kMiB;
  rig.step(ms(1000));
  rig.source.kill();
  rig.source.next.sample.peak = 100 * kMiB;
  rig.source.next.sample.current = 2 * kMiB;
  rig.clock.advance(ms(30));
  const auto judgement = rig.monitor.reaped(main_end(kKilled));
  ASSERT_TRUE(judgement);
  EXPECT_EQ(judgement->verdict, Verdict::oom_killed);
  EXPECT_EQ(judgement->exit_code, 137);
  const auto kill = the("memory.oom_kill");
  EXPECT_TRUE(has(kill, R"("scope":"own_limit","confidence":"certain","kills":1)")) << kill;
  EXPECT_TRUE(
      has(kill, R"("victim":{"pid":42,"name":"leak","confidence":"certain"},"survived":false)"))
      << kill;
  EXPECT_TRUE(has(kill, R"("counters_before":{"oom_kill":0},"counters_after":{"oom_kill":1})"));
  EXPECT_TRUE(has(kill, R"("used_bytes":103809024)")) << "at the last look before";
  EXPECT_TRUE(has(kill, R"("peak_bytes":104857600)")) << kill;
  EXPECT_TRUE(has(kill, R"("oom_killed":1)")) << kill;
  const auto exit = the("workload.exited");
  EXPECT_TRUE(has(exit, R"("exit_code":137,"signal":"SIGKILL")")) << exit;
  EXPECT_TRUE(has(exit, R"("verdict":"oom_killed","confidence":"certain")")) << exit;
  rig.monitor.stop("workload_exited");
  EXPECT_EQ(told("memory.oom_kill").size(), 1U);
}

TEST_F(MonitorTest, ACounterThatIsSeenBeforeTheDeathWaitsForIt) {
  begin();
  rig.source.kill();
  workload.dying = true;
  rig.monitor.wake();
  rig.step(ms(3000));
  EXPECT_TRUE(told("memory.oom_kill").empty()) << "it is still dying";
  ASSERT_TRUE(rig.monitor.reaped(main_end(kKilled)));
  EXPECT_TRUE(has(the("memory.oom_kill"), R"("survived":false)"));
  EXPECT_TRUE(has(the("workload.exited"), R"("verdict":"oom_killed","confidence":"certain")"));
}

TEST_F(MonitorTest, TheFallOfADyingProcessIsToldAfterItsKill) {
  begin();
  rig.source.next.sample.current = 99 * kMiB;
  rig.step(ms(1000));
  rig.source.kill();
  rig.source.next.sample.current = 40 * kMiB;
  workload.dying = true;
  rig.step(ms(300));
  EXPECT_EQ(told("memory.threshold").size(), 3U) << "up only";
  workload.dying = false;  // it was another process
  rig.step(ms(1000));
  EXPECT_EQ(told("memory.threshold").size(), 6U);
  const auto text = sink.text();
  EXPECT_LT(text.find("memory.oom_kill"), text.find(R"("direction":"down")"));
  EXPECT_FALSE(has(told("memory.threshold").back(), "eta_oom_s"));
  EXPECT_TRUE(has(the("memory.oom_kill"), R"("used_bytes":103809024)"));
}

TEST_F(MonitorTest, ADeathOfOneWhoWasSeenAliveAfterTheKillIsNeverCertain) {
  begin();
  rig.source.kill();
  rig.monitor.wake();
  rig.clock.advance(ms(50));
  ASSERT_TRUE(rig.monitor.reaped(main_end(kKilled)));
  EXPECT_TRUE(has(the("workload.exited"), R"("verdict":"oom_killed","confidence":"likely")"));
  EXPECT_EQ(told("memory.oom_kill").size(), 1U);
}

TEST_F(MonitorTest, AWorkloadThatNeverFinishesDyingIsToldAndStillJudged) {
  begin();
  rig.source.kill();
  workload.dying = true;
  rig.monitor.wake();
  rig.step(ms(11'000));
  EXPECT_TRUE(has(the("memory.oom_kill"),
                  R"("victim":{"pid":42,"name":"leak","confidence":"certain"},"survived":false)"));
  const auto judgement = rig.monitor.reaped(main_end(kKilled));
  EXPECT_EQ(judgement->verdict, Verdict::oom_killed);
  EXPECT_EQ(told("memory.oom_kill").size(), 1U);
}

TEST_F(MonitorTest, AWorkersKillIsToldAsSurvived) {
  begin();
  rig.source.kill();
  rig.step(ms(1000));
  rig.step(ms(1000));
  const auto kill = the("memory.oom_kill");
  EXPECT_TRUE(has(kill, R"("survived":true)")) << kill;
  EXPECT_TRUE(has(kill, R"("victim":null,"victims_unknown":1,)")) << kill;
  // Much later it is killed from outside: that is no OOM.
  rig.step(ms(5000));
  EXPECT_EQ(rig.monitor.reaped(main_end(kKilled))->verdict, Verdict::killed);
  EXPECT_TRUE(has(the("workload.exited"), R"("verdict":"killed","confidence":"certain")"));
}

TEST_F(MonitorTest, AKillFromOutsideSoonAfterAWorkersIsNeverCertain) {
  begin();
  rig.source.kill();
  rig.monitor.wake();
  rig.step(ms(200));
  ASSERT_EQ(told("memory.oom_kill").size(), 1U);
  ASSERT_TRUE(rig.monitor.reaped(main_end(kKilled)));
  EXPECT_FALSE(has(the("workload.exited"), R"("confidence":"certain")"));
}

TEST_F(MonitorTest, AnOrphanWeReapedIsTheVictim) {
  begin();
  rig.source.kill();
  Reaped reaped;
  reaped.others_killed[0] = {99, ProcessName("worker")};
  reaped.others_killed_size = 1;
  EXPECT_FALSE(rig.monitor.reaped(reaped));
  rig.step(ms(500));
  EXPECT_TRUE(has(the("memory.oom_kill"),
                  R"("victim":{"pid":99,"name":"worker","confidence":"certain"},"survived":true)"));
}

TEST_F(MonitorTest, EachIncreaseIsToldAndTheKillsAddUp) {
  begin();
  for (int i = 0; i < 20; ++i) {
    rig.source.kill(2);
    rig.step(ms(1500));
  }
  EXPECT_EQ(told("memory.oom_kill").size(), 20U);
  for (const auto& kill : told("memory.oom_kill")) EXPECT_TRUE(has(kill, R"("kills":2)"));
}

TEST_F(MonitorTest, AShellThatReportsItsKilledChildHasFailed) {
  begin();
  rig.source.kill();
  ASSERT_TRUE(rig.monitor.reaped(main_end(exited(137))));
  EXPECT_TRUE(has(the("memory.oom_kill"), R"("survived":false)"));
  EXPECT_TRUE(has(the("memory.oom_kill"), R"("victim":null)"));
  EXPECT_TRUE(has(the("workload.exited"), R"("exit_code":137,)"));
  EXPECT_TRUE(has(the("workload.exited"), R"("verdict":"failed")"));
}

TEST_F(MonitorTest, AStopTimeOutIsNoOom) {
  begin();
  workload.stop = true;
  workload.sent = {{SIGTERM, rig.clock.now() + ms(1500)}};
  ASSERT_TRUE(rig.monitor.reaped(main_end(kKilled)));
  const auto exit = the("workload.exited");
  EXPECT_TRUE(has(exit, R"("verdict":"stop_timeout","confidence":"certain")")) << exit;
  EXPECT_TRUE(has(exit, R"("stop_requested":true)")) << exit;
  EXPECT_TRUE(has(exit, R"("evidence":{"wait_status":9,"oom_kill":0,"host_oom_kill":0,)")) << exit;
  EXPECT_TRUE(has(exit, R"("signals":{"SIGTERM":1.5}})")) << exit;
  EXPECT_TRUE(told("memory.oom_kill").empty());
}

TEST_F(MonitorTest, AnAbortAtTheLimitIsLikelyAnAllocationThatFailed) {
  begin();
  rig.source.next.sample.current = 99 * kMiB;
  rig.step(ms(1000));
  ASSERT_TRUE(rig.monitor.reaped(main_end(SIGABRT)));
  const auto exit = the("workload.exited");
  EXPECT_TRUE(has(exit, R"("verdict":"allocation_failed","confidence":"likely")")) << exit;
  EXPECT_TRUE(has(exit, R"("working_set_percent":99,)")) << exit;
  EXPECT_TRUE(told("memory.oom_kill").empty());
}

TEST_F(MonitorTest, AGroupKillIsCalledOne) {
  rig.source.next.sample.own.oom_group_kill = 0;
  begin();
  rig.source.next.sample.own.oom_group_kill = 1;
  rig.source.kill(3);
  ASSERT_TRUE(rig.monitor.reaped(main_end(kKilled)));
  const auto kill = the("memory.oom_kill");
  EXPECT_TRUE(has(kill, R"("kills":3,"group_kill":true)")) << kill;
  EXPECT_TRUE(has(kill, R"("evidence":{"oom_kill":3,"oom_group_kill":1,)")) << kill;
}

TEST_F(MonitorTest, AGroupThatIsReadInThreePartsIsOfOneLimit) {
  rig.source.subject_value.location->version = cgroup::Version::v2;
  rig.source.next.sample.own.oom = 0;
  rig.source.next.sample.own.oom_group_kill = 0;
  begin();
  rig.source.next.sample.own.oom = 1;
  rig.source.next.sample.own.oom_group_kill = 1;
  for (int part = 0; part < 3; ++part) {
    rig.source.kill();
    rig.monitor.wake();
    rig.step(ms(200));
  }
  const auto kills = told("memory.oom_kill");
  ASSERT_EQ(kills.size(), 3U);
  for (const auto& kill : kills) EXPECT_TRUE(has(kill, R"("scope":"own_limit")")) << kill;
}

TEST_F(MonitorTest, KillsFromBeforeTheStartDoNotCount) {
  rig.source.kill(5);
  begin();
  rig.step(ms(3000));
  ASSERT_TRUE(rig.monitor.reaped(main_end(kKilled)));
  EXPECT_TRUE(told("memory.oom_kill").empty());
}

TEST_F(MonitorTest, AKillBeforeTheFirstLookIsFound) {
  rig.monitor.start({});
  rig.monitor.workload_started(workload, "leak", std::nullopt);
  rig.source.kill();
  ASSERT_TRUE(rig.monitor.reaped(main_end(kKilled)));
  EXPECT_TRUE(has(the("workload.exited"), R"("verdict":"oom_killed")"));
  EXPECT_EQ(told("memory.oom_kill").size(), 1U);
}

TEST_F(MonitorTest, CountersOfGvisorAreNotTrusted) {
  rig.source.subject_value.counters_trusted = false;
  begin();
  EXPECT_TRUE(has(the("probe.warning"), "gVisor"));
  ASSERT_TRUE(rig.monitor.reaped(main_end(kKilled)));
  const auto exit = the("workload.exited");
  EXPECT_TRUE(has(exit, R"("verdict":"killed","confidence":"unknown","oom_evidence":"none")"))
      << exit;
  EXPECT_TRUE(has(exit, R"("counters_trusted":false)")) << exit;
  EXPECT_TRUE(told("memory.oom_kill").empty());
}

TEST_F(MonitorTest, WithoutACgroupTheWorkloadIsStillJudged) {
  rig.source.subject_value = {};
  rig.source.next = {};
  begin();
  rig.step(ms(3000));
  ASSERT_TRUE(rig.monitor.reaped(main_end(exited(3))));
  EXPECT_TRUE(told("memory.sample").empty());
  EXPECT_FALSE(has(the("probe.started"), "cgroup"));
  EXPECT_TRUE(has(the("workload.exited"), R"("exit_code":3,)"));
  EXPECT_FALSE(has(the("workload.exited"), "used_bytes"));
}

TEST_F(MonitorTest, WithoutALimitThresholdsAreOffAndSaidToBe) {
  rig.source.next.limit.reset();
  rig.source.next.sample.limit.reset();
  rig.source.subject_value.limit.source = cgroup::LimitSource::host;
  begin();
  EXPECT_TRUE(has(the("probe.warning"), "no memory limit"));
  rig.source.next.sample.current = 99 * kMiB;
  rig.step(ms(2000));
  EXPECT_TRUE(told("memory.threshold").empty());
  EXPECT_FALSE(has(told("memory.sample").back(), "used_percent"));
}

TEST_F(MonitorTest, ALimitThatChangesIsTold) {
  begin();
  rig.source.next.limit = 200 * kMiB;
  rig.source.subject_value.limit.bytes = 200 * kMiB;
  rig.step(ms(3000));
  EXPECT_TRUE(has(the("memory.limit_changed"), R"("limit_bytes":209715200)"));
  EXPECT_TRUE(has(the("memory.limit_changed"), R"("previous_limit_bytes":104857600)"));
}

TEST_F(MonitorTest, AReadingThatFailsIsWarnedOfOnceAndRecoversQuietly) {
  begin();
  rig.source.error = Error{"cannot read", "/sys/x", {}, EIO};
  rig.step(ms(5000));
  EXPECT_TRUE(rig.monitor.blind());
  EXPECT_FALSE(rig.monitor.subject_gone());
  EXPECT_TRUE(has(the("probe.warning"), "/sys/x: cannot read"));
  const auto samples = told("memory.sample").size();
  rig.source.error = {};
  rig.source.kill();
  rig.step(ms(2000));
  EXPECT_FALSE(rig.monitor.blind());
  EXPECT_EQ(told("memory.sample").size(), samples + 2);
  EXPECT_EQ(told("memory.oom_kill").size(), 1U) << "a kill while blind is found afterwards";
}

TEST_F(MonitorTest, ARemovedCgroupIsNoticed) {
  begin();
  rig.source.error = Error{"cannot read", "/sys/x", {}, ENODEV};
  rig.step(ms(1000));
  EXPECT_TRUE(rig.monitor.subject_gone());
}

TEST_F(MonitorTest, WatchingAloneTellsKillsAtOnce) {
  rig.monitor.start({});
  rig.monitor.tick();
  rig.source.kill();
  rig.monitor.wake();
  const auto kill = the("memory.oom_kill");
  EXPECT_FALSE(has(kill, "survived")) << kill;
}

TEST_F(MonitorTest, KillsSinceTheLastLookAreToldAtTheEnd) {
  rig.monitor.start({});
  rig.monitor.tick();
  rig.source.kill(37);
  rig.monitor.stop("signal");
  EXPECT_TRUE(has(the("memory.oom_kill"), R"("kills":37)"));
  EXPECT_EQ(names_of(sink.text()), "probe.started memory.sample memory.oom_kill probe.stopped");
}

TEST_F(MonitorTest, ALimitHitBringsALookButNotAtEachWakeUp) {
  begin();
  rig.clock.advance(ms(60));
  rig.source.next.sample.current = 80 * kMiB;
  rig.monitor.wake();
  EXPECT_EQ(told("memory.threshold").size(), 1U);
  rig.clock.advance(ms(10));
  rig.source.next.sample.current = 90 * kMiB;
  rig.monitor.wake();
  EXPECT_EQ(told("memory.threshold").size(), 1U) << "less than --min-interval after the last look";
}

TEST(MonitorWithACeiling, HoldsSamplesBackButNoKill) {
  telemetry::MemorySink sink;
  Policy policy;
  policy.max_events_per_minute = 10;
  fake::Rig rig(sink, "json", policy);
  fake::FakeWorkload workload;
  rig.monitor.start({});
  rig.monitor.workload_started(workload, "leak", 1);
  for (int i = 0; i < 130; ++i) {
    if (i % 10 == 5) rig.source.kill();
    rig.step(ms(1000));
  }
  EXPECT_EQ(lines_of(sink.text(), "memory.oom_kill").size(), 13U);
  EXPECT_LE(lines_of(sink.text(), "memory.sample").size(), 30U);
  const auto dropped = lines_of(sink.text(), "probe.dropped");
  ASSERT_EQ(dropped.size(), 2U) << "one a minute";
  EXPECT_TRUE(has(dropped[0], R"("suppressed":51)")) << dropped[0];
  EXPECT_FALSE(has(dropped[0], R"("dropped":)")) << dropped[0];
  rig.monitor.stop("signal");
  EXPECT_TRUE(has(lines_of(sink.text(), "probe.stopped").front(), R"("suppressed":)"));
}

TEST(MonitorWithAGreatestInterval, SamplesRarelyWhereNothingHappens) {
  telemetry::MemorySink sink;
  Policy policy;
  policy.max_interval = std::chrono::seconds(30);
  fake::Rig rig(sink, "json", policy);
  rig.monitor.start({});
  rig.step(ms(300'000));
  const auto calm = lines_of(sink.text(), "memory.sample").size();
  EXPECT_LE(calm, 16U);
  EXPECT_GE(calm, 10U);
  rig.source.next.sample.current = 80 * kMiB;
  rig.step(ms(60'000));
  EXPECT_GE(lines_of(sink.text(), "memory.sample").size(), calm + 29U) << "each second again";
}

TEST_F(MonitorTest, WhatAReaderMissedIsToldWhenItReadsAgain) {
  Gate gate;
  fake::Rig other(gate);
  other.monitor.start({});
  other.step(ms(2000));
  gate.open = false;
  other.step(ms(5000));
  gate.open = true;
  other.step(ms(5000));
  const auto dropped = lines_of(gate.text, "probe.dropped");
  ASSERT_EQ(dropped.size(), 1U) << gate.text;
  EXPECT_TRUE(has(dropped[0], R"("dropped":5)")) << dropped[0];
}

TEST_F(MonitorTest, ALeakIsToldWithTheTimeThatIsLeft) {
  rig.source.next.sample.stat.anon = 5 * kMiB;
  begin();
  for (std::uint64_t i = 0; i < 20; ++i) {
    rig.source.next.sample.current = (10 + i) * kMiB;
    rig.source.next.sample.stat.anon = (5 + i) * kMiB;
    rig.step(ms(1000));
  }
  const auto growth = told("memory.growth");
  ASSERT_FALSE(growth.empty());
  EXPECT_TRUE(has(growth[0], R"("growing":true)")) << growth[0];
  EXPECT_TRUE(has(growth[0], R"("grows":"anon","growth_bytes_per_s":1048576,"eta_oom_s":)"))
      << growth[0];
  EXPECT_TRUE(has(growth[0], R"("eta_oom_least_s":)")) << growth[0];
}

TEST_F(MonitorTest, ReclaimAtTheLimitIsPressure) {
  rig.source.next.sample.own.max = 0;
  begin();
  rig.source.next.sample.own.max = 500;
  rig.step(ms(1000));
  const auto line = the("memory.pressure");
  EXPECT_TRUE(has(line, R"("cause":"limit_hits","direction":"up","level":500,)")) << line;
}

TEST_F(MonitorTest, ThePartingLineAddsUp) {
  begin();
  rig.step(ms(2000));
  rig.monitor.stop("signal");
  const auto line = the("probe.stopped");
  EXPECT_TRUE(has(line, R"("reason":"signal","events":5,"dropped":0,"suppressed":0,"samples":3)"))
      << line;
}

}  // namespace
}  // namespace oomdrill::probe
