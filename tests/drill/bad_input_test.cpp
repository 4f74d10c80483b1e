// What every command that reads recordings answers to what is none, or a strange one.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

#include "fixture_tree.h"
#include "program_run.h"

namespace oomdrill::drill {
namespace {

const std::vector<std::vector<std::string>> kCommands = {
    {"evaluate", "--alarms", "guide"},
    {"evaluate", "--alarms", "guide", "--format", "json"},
    {"trend"},
    {"trend", "--format", "json"},
    {"rightsize"},
    {"rightsize", "--format", "json"},
    {"report", "--alarms", "guide", "--format", "markdown"},
    {"report", "--alarms", "guide", "--format", "html"},
    {"report", "--format", "json"},
};

Ran run_on(std::vector<std::string> command, const std::string& path) {
  command.push_back(path);
  return run(command);
}

std::string event_line(std::string_view event, std::int64_t at_s, const std::string& more) {
  const std::int64_t day = 1 + at_s / 86400;
  return fmt::format(R"({{"event":"{}","time":"2026-10-{:02}T{:02}:{:02}:{:02}.000Z",{}}})", event,
                     day, at_s / 3600 % 24, at_s / 60 % 60, at_s % 60, more) +
         "\n";
}

/// A leak of 100 s; `later_s` is added to the times of its second half.
std::string leak(std::int64_t later_s = 0, const std::string& more = "") {
  constexpr int kNoon = 43200;
  std::string text = event_line("probe.started", kNoon, R"("seq":1,"limit_bytes":67108864)" + more);
  for (int i = 0; i < 100; ++i) {
    text += event_line(
        "memory.sample", kNoon + i + (i < 50 ? 0 : later_s),
        fmt::format(R"("seq":{},"used_bytes":{},"limit_bytes":67108864)", i + 2, (10 + i) << 19) +
            more);
  }
  return text;
}

/// The answer of each command is an exit code and a line.
TEST(BadInput, WhatHoldsNoEventIsAnErrorOfOneLine) {
  std::string binary(1 << 20, '\0');
  std::mt19937 random(1);
  for (char& c : binary) c = static_cast<char>(random());
  const std::vector<std::pair<std::string, std::string>> inputs = {
      {"empty", ""},
      {"blank", "\n\n\n"},
      {"binary", binary},
      {"zeros", std::string(1 << 20, '\0')},
      {"one long line", std::string(100'000'000, 'x')},
      {"one long event", "{\"event\":\"memory.sample\",\"x\":\"" + std::string(100'000'000, 'x')},
      {"a cut event", leak().substr(0, 40)},
      {"cut gzip", "\x1f\x8b\x08"},
      {"an image", "\x89PNG\r\n\x1a\n"},
      {"another's JSON", "{\"level\":\"info\"}\n[1,2]\n"},
  };
  test::FixtureTree tree;
  for (const auto& [what, content] : inputs) {
    tree.file("/input", content);
    for (const auto& command : kCommands) {
      const Ran ran = run_on(command, tree.path() + "/input");
      const std::string where = what + ": " + command[0];
      EXPECT_EQ(ran.code, ExitCode::data_error) << where;
      EXPECT_EQ(ran.out, "") << where;
      EXPECT_TRUE(ran.err.starts_with("oomdrill: " + tree.path() + "/input: ")) << ran.err;
      EXPECT_EQ(ran.err.find('\n'), ran.err.size() - 1) << ran.err;
      EXPECT_LT(ran.err.size(), 500U) << where;
    }
  }
}

TEST(BadInput, WhatIsBrokenWithinIsSkippedAndNamed) {
  const std::string whole = leak();
  const auto middle = whole.find('\n', whole.size() / 2) + 1;
  const std::string event = "{\"event\":\"memory.sample\",\"x\":\"" + std::string(100'000'000, 'x');
  const auto line = std::to_string(
      1 + std::count(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(middle), '\n'));
  test::FixtureTree tree;
  for (const std::string& fault :
       {std::string("{\"event\":\"memory.sample\",\"tim"), event,
        std::string("{\"event\":\"memory.sample\",\"time\":\"yesterday\"}"),
        std::string("{\"event\":\"leak.progress\",\"x\":\"\xff\"}")}) {
    tree.file("/input", whole.substr(0, middle) + fault + "\n" + whole.substr(middle));
    for (const auto& command : kCommands) {
      const Ran ran = run_on(command, tree.path() + "/input");
      EXPECT_EQ(ran.code, ExitCode::as_expected) << command[0] << ran.err;
      if (command[0] == "rightsize" || command.back() == "json") continue;
      const std::string told = ran.out + ran.err;
      EXPECT_TRUE(told.find("line " + line) != std::string::npos ||
                  told.find(":" + line + ": ") != std::string::npos)
          << command[0] << fault.substr(0, 60);
    }
  }
  tree.file("/input", whole.substr(0, whole.size() - 20));
  EXPECT_NE(run_on({"trend"}, tree.path() + "/input").out.find("1 broken"), std::string::npos);
}

TEST(BadInput, HostileTextsReachNeitherTerminalNorPage) {
  const std::string bare =
      "<script>alert(1)</script>\x1b]0;owned\x07\x1b[2J\xc2\x9b"
      "31m\xe2\x80\xae|`](javascript:x)\n# x";
  const std::string name = nlohmann::json(bare).dump();
  const std::string who = R"(,"task_id":)" + name + R"(,"container_name":)" + name;
  std::string text = leak(0, who);
  text += event_line("workload.started", 43200, R"("command":)" + name + who);
  text += event_line("probe.warning", 43298, R"("message":)" + name + who);
  text += event_line("memory.oom_kill", 43299,
                     R"("kills":1,"scope":)" + name + R"(,"limit_source":)" + name +
                         R"(,"victim":{"pid":1,"name":)" + name + "}" + who);
  text +=
      event_line("workload.exited", 43299, R"("verdict":)" + name + R"(,"signal":)" + name + who);
  test::FixtureTree tree;
  tree.file("/input", text);
  nlohmann::json alarm = {{"AlarmName", bare},  {"Namespace", "AWS/ECS"},
                          {"MetricName", bare}, {"Statistic", "Average"},
                          {"Period", 60},       {"EvaluationPeriods", 2},
                          {"Threshold", 80},    {"ComparisonOperator", "GreaterThanThreshold"}};
  tree.file("/alarms", nlohmann::json{{"MetricAlarms", {alarm}}}.dump());
  for (auto command : kCommands) {
    for (std::string& word : command) {
      if (word == "guide") word = tree.path() + "/alarms";
    }
    const Ran ran = run_on(command, tree.path() + "/input");
    EXPECT_EQ(ran.code, ExitCode::as_expected) << command[0] << ran.err;
    EXPECT_NE(ran.out.find("alert(1)"), std::string::npos) << command[0];
    const std::string told = ran.out + ran.err;
    for (const char* sequence : {"\x1b", "\x07", "\xc2\x9b", "\xe2\x80\xae"}) {
      if (command.back() == "json" && sequence[0] != '\x1b') continue;  // data, which JSON may hold
      EXPECT_EQ(told.find(sequence), std::string::npos) << command[0] << command.back();
    }
    if (command.back() == "markdown") {
      EXPECT_EQ(ran.out.find("`](javascript"), std::string::npos) << ran.out;
    }
    if (command.back() == "html" || command.back() == "markdown") {
      EXPECT_EQ(ran.out.find("<script>alert"), std::string::npos) << command.back();
      EXPECT_EQ(ran.out.find("\n# x"), std::string::npos) << command.back();
    }
  }
}

TEST(BadInput, AlarmsOnOtherMetricsStayWithoutData) {
  test::FixtureTree tree;
  tree.file("/input", leak());
  for (const auto& [space, metric] :
       {std::pair{"AWS/ECS", "CPUUtilization"}, std::pair{"AWS/EC2", "MemoryUtilization"},
        std::pair{"ECS/ContainerInsights", "oom_killed"},
        std::pair{"oomdrill", "no_such_member"}}) {
    nlohmann::json alarm = {{"AlarmName", "other"}, {"Namespace", space},
                            {"MetricName", metric}, {"Statistic", "Average"},
                            {"Period", 60},         {"EvaluationPeriods", 2},
                            {"Threshold", 80},      {"ComparisonOperator", "GreaterThanThreshold"}};
    tree.file("/alarms", nlohmann::json{{"MetricAlarms", {alarm}}}.dump());
    const Ran ran = run({"evaluate", "--alarms", tree.path() + "/alarms", tree.path() + "/input"});
    EXPECT_EQ(ran.code, ExitCode::as_expected) << ran.err;
    EXPECT_NE(ran.out.find("other: never fires"), std::string::npos) << ran.out;
    EXPECT_NE(ran.out.find(metric), std::string::npos) << ran.out;
    EXPECT_NE(ran.out.find("INSUFFICIENT_DATA"), std::string::npos) << ran.out;
  }
}

TEST(BadInput, AClockThatJumpsIsToldAndTheLeakIsOneAllTheSame) {
  test::FixtureTree tree;
  for (const auto& [later_s, says] : {std::pair{std::int64_t{-7200}, "stepped back"},
                                      std::pair{std::int64_t{20} * 86400, "without a sample"}}) {
    tree.file("/input", leak(later_s));
    const Ran trend = run_on({"trend"}, tree.path() + "/input");
    EXPECT_EQ(trend.code, ExitCode::as_expected);
    EXPECT_NE(trend.out.find("steady leak"), std::string::npos) << trend.out;
    EXPECT_NE(trend.out.find(says), std::string::npos) << trend.out;
    const Ran review =
        run_on({"report", "--alarms", "guide", "--format", "markdown"}, tree.path() + "/input");
    EXPECT_EQ(review.code, ExitCode::as_expected) << review.err;
    EXPECT_NE(review.out.find(says), std::string::npos) << review.out;
    for (const auto& command : kCommands) {
      EXPECT_EQ(run_on(command, tree.path() + "/input").code, ExitCode::as_expected) << command[0];
    }
  }
}

}  // namespace
}  // namespace oomdrill::drill
