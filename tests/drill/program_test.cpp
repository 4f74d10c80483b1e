#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "program_run.h"

namespace oomdrill::drill {
namespace {

TEST(Program, UsageIsOneLineOnStderr) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {},
           {"explode"},
           {"--explode"},
           {"run", "--explode"},
           {"run", "surplus"},
           {"run", "--memory", "0"},
           {"run", "--memory", "much"},
           {"run", "--memory", "64M"},
           {"run", "--timeout", "0"},
           {"run", "--expect", "luck"},
           {"run", "--format", "xml"},
           {"run", "--engine", "podman"},
           {"run", "--workload"},
           {"run", "--repeat", "0"},
           {"run", "--stretch", "-1"},
           {"run", "--kill-after", "10s"},
           {"run", "--", "--expect", "oom"},
           {"run", "--", "--expect=oom"},
           {"report", "x", "--stretch", "0"},
           {"run", "--check-prediction", "0"},
           {"run", "--require-lead", "60s"},
           {"run", "guide", "--workload", "--", "true"},
           {"run", "hidden-worker-kill", "--", "--rate", "1MB/s"},
           {"evaluate"},
           {"evaluate", "drill.jsonl"},
           {"evaluate", "x", "--alarms", "guide", "--format", "xml"},
           {"evaluate", "x", "--alarms", "guide", "--delay", "soon"},
           {"evaluate", "x", "--alarms", "guide", "--stretch", "0"},
           {"predict", "surplus"},
           {"predict", "--memory", "0"},
           {"predict", "--base", "1GiB"},
           {"predict", "--pattern", "exponentially"},
           {"predict", "--pattern", "linear:speed=1"},
           {"predict", "--kind", "gpu"},
           {"predict", "--cgroup", "v3"},
           {"predict", "--duration", "1s"},
           {"predict", "--until", "soon"},
           {"predict", "--max-bytes", "much"},
           {"predict", "--then", "exit"},
           {"predict", "--phase", "hold:for=1s", "--pattern", "linear"},
           {"predict", "--tasks", "0"},
           {"predict", "--leaking", "200%"},
           {"predict", "--back-off", "0"},
           {"predict", "--scaling", "min=9"},
           {"predict", "--require-lead", "60s"},
           {"trend"},
           {"trend", "--format", "xml", "r"},
           {"rightsize"},
           {"rightsize", "--margin", "0", "r"},
           {"report"},
           {"report", "--format", "pdf", "r"}}) {
    const Ran ran = run(arguments);
    const std::string what = testing::PrintToString(arguments);
    EXPECT_EQ(ran.code, ExitCode::usage) << what;
    EXPECT_EQ(ran.out, "") << what;
    EXPECT_TRUE(ran.err.starts_with("oomdrill: ")) << what << ran.err;
    EXPECT_EQ(ran.err.find('\n'), ran.err.size() - 1) << what << ran.err;
  }
}

TEST(Program, AMisspeltVariableIsRefusedAndOneOfTheScriptsIsNot) {
  const char* variables[] = {"OOMDRILL_CLUSTER=shop", "OOMDRILL_CACHE=/tmp", "OOMDRILL_BIN=/bin",
                             "OOMDRILL_SERVICE=web", nullptr};
  const std::vector<std::string> predict = {"predict"};
  std::ostringstream out;
  std::ostringstream err;
  Streams streams{out, err};
  const auto nothing = [](const char*) -> const char* { return nullptr; };
  EXPECT_EQ(run_program(predict, nothing, streams, variables), ExitCode::as_expected) << err.str();
  variables[0] = "OOMDRILL_MEMROY=1MiB";
  EXPECT_EQ(run_program(predict, nothing, streams, variables), ExitCode::usage);
  EXPECT_NE(err.str().find("OOMDRILL_MEMROY: no option has this variable; the nearest is "
                           "OOMDRILL_MEMORY"),
            std::string::npos)
      << err.str();
}

TEST(Program, ARecordingThatIsNotThereOrHoldsNothingIsSaid) {
  for (const char* command : {"trend", "rightsize", "report"}) {
    EXPECT_EQ(run({command, "/nowhere/r.jsonl"}).code, ExitCode::no_input);
    const Ran empty = run({command, "/dev/null"});
    EXPECT_EQ(empty.code, ExitCode::data_error);
    EXPECT_EQ(empty.out, "");
    EXPECT_NE(empty.err.find("is empty"), std::string::npos) << empty.err;
  }
}

TEST(Program, HelpAndVersionAreOnStdout) {
  const Ran help = run({"--help"});
  EXPECT_EQ(help.code, ExitCode::as_expected);
  EXPECT_NE(help.out.find("\n  run "), std::string::npos);
  EXPECT_EQ(help.err, "");
  const Ran run_help = run({"run", "--help"});
  EXPECT_EQ(run_help.code, ExitCode::as_expected);
  for (const char* part : {"--memory", "OOMDRILL_MEMORY", "default 64MiB", "OOMDRILL_EXPECT"}) {
    EXPECT_NE(run_help.out.find(part), std::string::npos) << part;
  }
  EXPECT_TRUE(run({"--version"}).out.starts_with("oomdrill "));
  EXPECT_TRUE(run({"run", "--version"}).out.starts_with("oomdrill "));
}

TEST(Program, SaysWhichInputIsWrong) {
  const std::string text = testing::TempDir() + "text.json";
  std::ofstream(text) << "{}\n";
  const struct {
    std::vector<std::string> arguments;
    ExitCode code;
    const char* says;
  } rows[] = {
      {{"evaluate", "/nonexistent", "--alarms", "guide"}, ExitCode::no_input, "/nonexistent"},
      {{"evaluate", text, "--alarms", "/nonexistent"}, ExitCode::no_input, "describe-alarms"},
      {{"evaluate", text, "--alarms", text}, ExitCode::data_error, "holds no alarms"},
      {{"evaluate", text, "--alarms", "guide"}, ExitCode::data_error, "no event in 1 lines"},
      {{"evaluate", "/dev/null", "--alarms", "guide"}, ExitCode::data_error, "no event in 0 lines"},
      {{"evaluate", "/", "--alarms", "guide"}, ExitCode::no_input, "directory"},
      {{"predict", "--alarms", text}, ExitCode::data_error, "holds no alarms"},
  };
  for (const auto& row : rows) {
    const Ran ran = run(row.arguments);
    const std::string what = testing::PrintToString(row.arguments);
    EXPECT_EQ(ran.code, row.code) << what;
    EXPECT_NE(ran.err.find(row.says), std::string::npos) << what << ran.err;
    EXPECT_EQ(ran.out, "") << what;
  }
}

TEST(Program, PredictAnswersForTheGuide) {
  const Ran text = run({"predict", "--alarms", "guide", "--require-lead", "60s"});
  EXPECT_EQ(text.code, ExitCode::otherwise);
  EXPECT_NE(text.out.find("predicted    oom_killed after 535.9 s"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("no alarm fires before the kill; 60.0 s required: no"),
            std::string::npos);
  const Ran ran = run({"predict", "--alarms", "guide", "--format", "json"});
  EXPECT_EQ(ran.code, ExitCode::as_expected);
  const auto json = nlohmann::json::parse(ran.out);
  EXPECT_NEAR(json["kill"]["after_s"].get<double>(), 535.9, 0.1);
  EXPECT_EQ(json["scaling"], nlohmann::json::array());
  ASSERT_EQ(json["alarms"].size(), 3U);
  EXPECT_EQ(json["alarms"][0]["name"], "ecs-memory-utilization-high");
  EXPECT_NE(json["alarms"][0]["fired"], "before");
  EXPECT_EQ(json["alarms"][0]["alignments"]["before"], 0);
  EXPECT_GE(json["alarms"][0]["suggestion"]["lead_s"].get<double>(), 60);
}

TEST(Program, PredictTakesEachPatternsOwnRateAndRefusesOneThatNoneTakes) {
  const struct {
    std::vector<std::string> arguments;
    const char* says;
  } rows[] = {
      {{"-m", "24MiB", "--pattern", "staircase:step=8MiB,dwell=2s"}, "oom_killed after 4.0 s: "},
      {{"-m", "64MiB", "--pattern", "sawtooth"}, ": sawtooth, allocating 4.00 MB/s, from"},
      {{"-m", "64MiB", "--pattern", "sawtooth", "--rate", "1MB/s"},
       ": sawtooth:rate=1MB/s, allocating 1.00 MB/s, from"},
      {{"--phase", "linear:for=1m", "--phase", "burst", "--rate", "2MB/s"},
       ": linear:for=1m,rate=2MB/s;burst, from"},
  };
  for (const auto& row : rows) {
    std::vector<std::string> arguments = {"predict"};
    arguments.insert(arguments.end(), row.arguments.begin(), row.arguments.end());
    const Ran ran = run(arguments);
    EXPECT_NE(ran.out.find(row.says), std::string::npos) << ran.out << ran.err;
  }
  const Ran refused = run({"predict", "--pattern", "burst", "--rate", "2MB/s"});
  EXPECT_EQ(refused.code, ExitCode::usage);
  EXPECT_NE(refused.err.find("pattern 'burst' has no rate"), std::string::npos) << refused.err;
}

/// The alarm as `aws cloudwatch describe-alarms` would show it with the settings suggested.
nlohmann::json described(const nlohmann::json& suggestion) {
  return {{"MetricAlarms",
           {{{"AlarmName", "as-suggested"},
             {"Namespace", suggestion["namespace"]},
             {"MetricName", suggestion["metric"]},
             {"Statistic", suggestion["statistic"]},
             {"Period", suggestion["period_s"]},
             {"EvaluationPeriods", suggestion["evaluation_periods"]},
             {"DatapointsToAlarm", suggestion["datapoints_to_alarm"]},
             {"ComparisonOperator", suggestion["comparison"]},
             {"Threshold", suggestion["threshold"]},
             {"TreatMissingData", suggestion["treat_missing_data"]}}}}};
}

TEST(Program, WhatPredictSuggestsFiresInTime) {
  const std::string alarms = testing::TempDir() + "suggested.json";
  std::vector<std::string> leak = {"predict", "--memory", "512MiB", "--pattern",
                                   "linear",  "--rate",   "1MB/s",  "--require-lead",
                                   "60s",     "--format", "json",   "--alarms"};
  leak.emplace_back("guide");
  const auto guide = nlohmann::json::parse(run(leak).out);
  EXPECT_EQ(guide["lead_met"], false);
  std::size_t suggestions = 0;
  for (const auto& alarm : guide["alarms"]) {
    if (alarm["suggestion"].is_null()) continue;
    ++suggestions;
    std::ofstream(alarms) << described(alarm["suggestion"]);
    leak.back() = alarms;
    const Ran ran = run(leak);
    EXPECT_EQ(ran.code, ExitCode::as_expected) << ran.err;
    const auto found = nlohmann::json::parse(ran.out)["alarms"][0];
    EXPECT_EQ(found["fired"], "before");
    EXPECT_EQ(found["alignments"]["before"], found["alignments"]["tried"]);
    EXPECT_EQ(found["alignments"]["worst_lead_s"], alarm["suggestion"]["lead_s"]);
    // One step higher, and the lead is gone: what is suggested is no more than what is needed.
    auto higher = described(alarm["suggestion"]);
    higher["MetricAlarms"][0]["Threshold"] = alarm["suggestion"]["threshold"].get<double>() + 1;
    std::ofstream(alarms) << higher;
    EXPECT_EQ(run(leak).code, ExitCode::otherwise);
  }
  EXPECT_EQ(suggestions, 2U);
}

TEST(Program, TheCorrectedAlarmsLeadTheGuidesLeak) {
  for (const char* memory : {"512MiB", "480MiB", "64MiB"}) {
    // The same leak in proportion.
    const std::string rate = memory == std::string_view("64MiB") ? "133333B/s" : "1MB/s";
    for (const std::vector<std::string>& blind :
         {std::vector<std::string>{}, {"--kind", "memfd", "--cgroup", "v1"}}) {
      std::vector<std::string> arguments = {"predict", "--memory", memory,     "--rate",
                                            rate,      "--delay",  "30s",      "--require-lead",
                                            "60s",     "--alarms", "corrected"};
      arguments.insert(arguments.end(), blind.begin(), blind.end());
      const Ran ran = run(arguments);
      EXPECT_EQ(ran.code, ExitCode::as_expected) << memory << '\n' << ran.out << ran.err;
    }
  }
  // And say nothing of what does not grow to the limit.
  const Ran held = run({"predict", "--until", "60%", "--duration", "6h", "--alarms", "corrected",
                        "--format", "json"});
  const auto json = nlohmann::json::parse(held.out);
  EXPECT_TRUE(json["kill"].is_null());
  for (const auto& alarm : json["alarms"]) {
    if (alarm["name"] == "oomdrill-memory-lead") {
      EXPECT_EQ(alarm["fired"], "never");
    }
  }
}

TEST(Program, PredictStopsWhereItIsTold) {
  const auto answer = [](std::vector<std::string> options) {
    options.insert(options.begin(), {"predict", "--format", "json"});
    const Ran ran = run(options);
    EXPECT_EQ(ran.code, ExitCode::as_expected) << ran.err;
    return nlohmann::json::parse(ran.out)["prediction"];
  };
  const auto until = answer({"--until", "50%"});
  EXPECT_EQ(until["end"], "until");
  EXPECT_NEAR(until["after_s"].get<double>(), (256 - 1.2) * 1.048576, 0.1);
  EXPECT_EQ(answer({"--until", "64MiB-headroom"})["end"], "until");
  const auto most = answer({"--max-bytes", "100MB"});
  EXPECT_EQ(most["end"], "max_bytes");
  EXPECT_NEAR(most["after_s"].get<double>(), 100, 0.1);
  const auto phases = answer({"--phase", "hold:for=100s", "--phase", "linear:rate=1MB/s"});
  EXPECT_NEAR(phases["after_s"].get<double>(), 635.9, 0.1);
  // Held, the alarm goes on; released, it goes back.
  for (const char* then : {"hold", "release"}) {
    const Ran ran = run({"predict", "--until", "90%", "--then", then, "--alarms", "guide",
                         "--format", "json", "--duration", "30m"});
    const auto transitions = nlohmann::json::parse(ran.out)["alarms"][1]["transitions"];
    ASSERT_GE(transitions.size(), 2U);
    // The last of all is that its samples end with what was looked at.
    const std::string last = transitions[transitions.size() - 2]["to"];
    EXPECT_EQ(last, then == std::string_view("hold") ? "ALARM" : "OK") << transitions;
  }
}

TEST(Program, PredictAnswersWhetherScalingOutWouldHaveHelped) {
  const Ran ran = run({"predict", "--tasks", "4", "--rate", "100KB/s", "--duration", "6h",
                       "--scaling", "target=75,min=4,max=8", "--format", "json"});
  EXPECT_EQ(ran.code, ExitCode::as_expected) << ran.err;
  const auto json = nlohmann::json::parse(ran.out);
  ASSERT_FALSE(json["scaling"].empty());
  EXPECT_EQ(json["scaling"][0]["from"], 4);
  EXPECT_GT(json["service"]["kills"].get<int>(), 0);
  EXPECT_EQ(json["would_scaling_out_have_helped"].get<std::string>().substr(0, 2), "no");
}

}  // namespace
}  // namespace oomdrill::drill
