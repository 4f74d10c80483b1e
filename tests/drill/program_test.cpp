#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "subcommand.h"

namespace oomdrill::drill {
namespace {

struct Ran {
  ExitCode code;
  std::string out;
  std::string err;
};

Ran run(std::vector<std::string> arguments) {
  std::ostringstream out;
  std::ostringstream err;
  Streams streams{out, err};
  const ExitCode code = run_program(
      arguments, [](const char*) -> const char* { return nullptr; }, streams);
  return {code, out.str(), err.str()};
}

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
