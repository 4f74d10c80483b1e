#include "run/verdict.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>

#include "../events.h"

namespace oomdrill::run {
namespace {

using test::account_of;
using test::event_line;

Observation counted(std::uint64_t oom_kill) {
  Observation seen;
  seen.oom_kill = oom_kill;
  return seen;
}

constexpr int exited(int code) { return code << 8; }

Outside outside(std::uint64_t before, std::uint64_t after, int status) {
  Outside seen;
  seen.before = counted(before);
  seen.after = counted(after);
  seen.status = status;
  return seen;
}

std::string ended(std::string_view verdict, int code, std::string_view more = "") {
  return event_line("workload.started", 0, R"("command":"x")") +
         event_line("workload.exited", 3,
                    fmt::format(R"("verdict":"{}","exit_code":{}{})", verdict, code, more));
}

std::string kill_event(std::uint64_t before, std::uint64_t after) {
  return event_line(
      "memory.oom_kill", 2,
      fmt::format(R"("scope":"own_limit","kills":{},"counters_before":{{"oom_kill":{}}},)"
                  R"("counters_after":{{"oom_kill":{}}})",
                  after - before, before, after));
}

struct Case {
  const char* name;
  std::string inside;
  Outside outside;
  const char* outcome;
  Confidence confidence;
  std::size_t disagreements;
};

Outside engine(bool oom_killed, int code) {
  Outside seen;
  seen.after.emplace();
  seen.after->engine_oom_killed = oom_killed;
  seen.after->engine_exit_code = code;
  seen.status = exited(code);
  return seen;
}

std::vector<Case> cases() {
  return {
      {"killed_at_own_limit", test::killed_drill(), outside(0, 1, exited(137)), "oom_killed",
       Confidence::certain, 0},
      {"counters_of_an_older_cgroup", kill_event(4, 5) + ended("oom_killed", 137),
       outside(4, 5, exited(137)), "oom_killed", Confidence::certain, 0},
      {"nobody_outside_to_ask", test::killed_drill(),
       [] {
         Outside seen;
         seen.status = exited(137);
         return seen;
       }(),
       "oom_killed", Confidence::likely, 0},
      {"the_engine_confirms", test::killed_drill(), engine(true, 137), "oom_killed",
       Confidence::certain, 0},
      {"completed", ended("completed", 0), outside(0, 0, exited(0)), "completed",
       Confidence::certain, 0},
      {"killed_by_someone_else", ended("killed", 137, R"(,"signal":"SIGKILL")"),
       outside(0, 0, exited(137)), "killed", Confidence::certain, 0},
      {"a_worker_was_killed", kill_event(0, 1) + ended("completed", 0), outside(0, 1, exited(0)),
       "completed", Confidence::certain, 0},
      {"crashed", ended("crashed", 139, R"(,"signal":"SIGSEGV")"), outside(0, 0, exited(139)),
       "crashed", Confidence::certain, 0},

      {"the_probe_is_not_sure",
       kill_event(0, 1) + ended("oom_killed", 137, R"(,"confidence":"likely")"),
       outside(0, 1, exited(137)), "oom_killed", Confidence::likely, 0},

      // Contradictions.
      {"the_counter_did_not_move", test::killed_drill(), outside(0, 0, exited(137)), "oom_killed",
       Confidence::disputed, 1},
      {"the_probe_missed_it", ended("killed", 137), outside(0, 1, exited(137)), "killed",
       Confidence::disputed, 1},
      {"the_numbers_differ", test::killed_drill(), outside(0, 3, exited(137)), "oom_killed",
       Confidence::disputed, 1},
      {"no_event_behind_the_word", ended("oom_killed", 137),
       [] {
         Outside seen;
         seen.status = exited(137);
         return seen;
       }(),
       "oom_killed", Confidence::disputed, 1},
      {"the_exit_code_differs", ended("completed", 0), outside(0, 0, exited(1)), "completed",
       Confidence::disputed, 1},
      {"the_engine_denies", test::killed_drill(), engine(false, 137), "oom_killed",
       Confidence::disputed, 1},

      // The probe is gone without its last word.
      {"the_probe_was_oom_killed", event_line("probe.started", 0), outside(0, 1, SIGKILL),
       "oom_killed", Confidence::likely, 0},
      {"the_probe_was_killed", event_line("probe.started", 0), outside(0, 0, SIGKILL), "killed",
       Confidence::likely, 0},
      {"the_probe_failed", "", outside(0, 0, exited(70)), "unknown", Confidence::likely, 0},
      {"nothing_at_all", "", Outside(), "unknown", Confidence::likely, 0},
      {"a_word_that_nobody_knows", ended("vanished", 0), outside(0, 0, exited(0)), "unknown",
       Confidence::certain, 0},
      // A counter that went down belongs to another cgroup: no witness.
      {"the_counter_went_back", test::killed_drill(), outside(5, 1, exited(137)), "oom_killed",
       Confidence::likely, 0},
  };
}

class VerdictOf : public testing::TestWithParam<Case> {};

TEST_P(VerdictOf, IsDerived) {
  const Case& param = GetParam();
  const Verdict verdict = derive(account_of(param.inside), param.outside);
  EXPECT_EQ(verdict.outcome, param.outcome) << verdict.why;
  EXPECT_EQ(name(verdict.confidence), name(param.confidence)) << verdict.why;
  EXPECT_EQ(verdict.disagreements.size(), param.disagreements)
      << (verdict.disagreements.empty() ? "" : verdict.disagreements.front());
}

INSTANTIATE_TEST_SUITE_P(Evidence, VerdictOf, testing::ValuesIn(cases()),
                         [](const auto& param) { return param.param.name; });

TEST(Verdict, NamesItsEvidence) {
  const Verdict verdict = derive(account_of(test::killed_drill()), outside(0, 1, exited(137)));
  EXPECT_NE(verdict.why.find("own limit"), std::string::npos) << verdict.why;
  EXPECT_NE(verdict.why.find("oom_kill 0 → 1 outside"), std::string::npos) << verdict.why;
  EXPECT_NE(verdict.why.find("0 → 1 inside"), std::string::npos) << verdict.why;
}

TEST(Verdict, SaysWhatAShellPassesOn) {
  const auto shell =
      derive(account_of(kill_event(0, 1) + ended("failed", 137)), outside(0, 1, exited(137)));
  EXPECT_EQ(shell.outcome, "failed");
  EXPECT_NE(shell.why.find("exit code 137, as a shell passes on"), std::string::npos) << shell.why;
  const auto other = derive(account_of(ended("failed", 137)), outside(0, 0, exited(137)));
  EXPECT_EQ(other.why.find("shell"), std::string::npos) << other.why;
}

TEST(Verdict, SaysWhoStoppedTheDrill) {
  Outside seen = outside(0, 0, exited(143));
  seen.timed_out = true;
  EXPECT_NE(derive(account_of(ended("stopped", 143)), seen).why.find("--timeout"),
            std::string::npos);
  seen.timed_out = false;
  seen.signal = "SIGINT";
  EXPECT_NE(derive(account_of(ended("stopped", 143)), seen).why.find("SIGINT"), std::string::npos);
}

TEST(Verdict, ARecordingKeepsWhatTheDrillConcluded) {
  const Verdict kept = recorded_verdict(test::account_of(test::named_drill()));
  EXPECT_EQ(kept.outcome, "oom_killed");
  EXPECT_EQ(kept.confidence, Confidence::certain);
  EXPECT_EQ(kept.why, "own limit, oom_kill 0 → 1 outside, 0 → 1 inside");
  // Without, one witness speaks.
  const Verdict alone = recorded_verdict(test::account_of(test::killed_drill()));
  EXPECT_EQ(alone.confidence, Confidence::likely);
  const Verdict disputed = recorded_verdict(test::account_of(
      test::killed_drill() + test::event_line("drill.ended", 9,
                                              R"("verdict":"oom_killed","confidence":"disputed",)"
                                              R"("why":"w","disagreement":"2 against 1")")));
  EXPECT_EQ(disputed.confidence, Confidence::disputed);
  EXPECT_EQ(disputed.disagreements, std::vector<std::string>{"2 against 1"});
}

}  // namespace
}  // namespace oomdrill::run
