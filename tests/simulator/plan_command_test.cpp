// leaksim plan: the curve of a command line, as its user sees it.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "curve.h"
#include "exit_codes.h"
#include "machine.h"

namespace oomdrill::simulator {
namespace {

using nlohmann::json;
using test::FakeMachine;

std::string output_of(const std::vector<std::string>& arguments) {
  FakeMachine machine;
  EXPECT_EQ(machine.run(arguments), kDone) << machine.err.text();
  EXPECT_EQ(machine.err.text(), "");
  EXPECT_EQ(machine.written, 0u);
  return machine.out.text();
}

TEST(PlanCommand, CsvIsTheCurveAtEachReport) {
  EXPECT_EQ(output_of({"plan", "--rate", "1MB/s", "-d", "3s", "--format", "csv"}),
            "time,bytes\n0,0\n1,1000000\n2,2000000\n3,3000000\n");
  EXPECT_EQ(output_of({"plan", "-p", "burst:size=1MB,interval=1500ms", "-d", "4s", "-f", "csv"}),
            "time,bytes\n0,0\n1,0\n2,1000000\n3,2000000\n4,2000000\n");
}

TEST(PlanCommand, WithoutAnIntervalEachStepIsARow) {
  EXPECT_EQ(output_of({"plan", "-p", "burst:size=1MB,interval=1500ms", "-d", "4s", "-f", "csv",
                       "--report-every", "0"}),
            "time,bytes\n1.5,1000000\n3,2000000\n4,2000000\n");
}

TEST(PlanCommand, JsonSaysWhenTheLimitIsMet) {
  const auto met = json::parse(
      output_of({"plan", "--rate", "1MB/s", "-m", "5MB", "-f", "json", "--report-every", "2s"}));
  EXPECT_EQ(met["limit_bytes"], 5'000'000);
  EXPECT_NEAR(met["limit_met_s"].get<double>(), 5, 0.02);
  ASSERT_EQ(met["points"].size(), 4u);
  EXPECT_EQ(met["points"][2]["time"], 4);
  EXPECT_EQ(met["points"][2]["bytes"], 4'000'000);
  const auto never = json::parse(output_of(
      {"plan", "-p", "lru:cache=1MiB,rate=1MB/s", "-m", "5MB", "-f", "json", "-d", "9s"}));
  EXPECT_TRUE(never["limit_met_s"].is_null());
  EXPECT_FALSE(json::parse(output_of({"plan", "-d", "2s", "-f", "json"})).contains("limit_bytes"));
}

TEST(PlanCommand, StopsWhereTheLeakWouldStop) {
  EXPECT_EQ(output_of({"plan", "--until", "50%", "-m", "4MB", "-f", "csv"}),
            "time,bytes\n0,0\n1,1000000\n2,2000000\n");
  EXPECT_EQ(output_of({"plan", "--max-bytes", "1500000", "--hold", "-d", "3s", "-f", "csv"}),
            "time,bytes\n0,0\n1,1000000\n2,1500000\n3,1500000\n");
  EXPECT_EQ(output_of({"plan", "-p", "linear:for=1500ms", "-f", "csv"}),
            "time,bytes\n0,0\n1,1000000\n1.5,1500000\n");
}

TEST(PlanCommand, TakesTheVariablesOfTheLeak) {
  FakeMachine machine;
  machine.environment["LEAKSIM_PHASE"] = "linear:for=1s;hold:for=2s";
  machine.environment["LEAKSIM_RATE"] = "2MB/s";
  EXPECT_EQ(machine.run({"plan", "-f", "csv"}), kDone) << machine.err.text();
  EXPECT_EQ(machine.out.text(), "time,bytes\n0,0\n1,2000000\n2,2000000\n3,2000000\n");
}

TEST(PlanCommand, ReplayReadsWhatItWrote) {
  oomdrill::test::FixtureTree tree;
  const std::vector<std::string> sawtooth = {"plan", "-p", "sawtooth", "-d", "60s", "-f", "csv"};
  const std::string text = output_of(sawtooth);
  tree.file("/curve.csv", text);
  EXPECT_EQ(output_of({"plan", "-p", "replay:file=" + tree.root() / "/curve.csv", "-f", "csv"}),
            text);
}

TEST(PlanCommand, PlotsTheCurveAndTheLimit) {
  const std::string text = output_of({"plan", "--rate", "1MB/s", "-m", "64MiB"});
  std::istringstream lines(text);
  std::string line;
  std::vector<std::string> all;
  while (std::getline(lines, line)) {
    EXPECT_FALSE(line.ends_with(' ')) << line;
    all.push_back(line);
  }
  ASSERT_EQ(all.size(), 14u) << text;
  EXPECT_TRUE(all[0].starts_with("   64.0 MiB ┤┄")) << text;
  EXPECT_TRUE(all[9].ends_with("█")) << text;
  EXPECT_TRUE(all[11].ends_with("67.1 s")) << text;
  EXPECT_EQ(all[12], "linear:rate=1MB/s, seed 1: 64.0 MiB after 67.1 s");
  EXPECT_EQ(
      all[13],
      "the live bytes meet the limit of 64.0 MiB after 67.1 s; `oomdrill predict` tells when the "
      "kernel kills");
}

/// The plot's cells as levels, from 0 to 8 a cell, summed over each column.
std::vector<int> heights(const std::string& plot) {
  static const std::vector<std::string> kLevels = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  std::vector<int> sums;
  std::istringstream lines(plot);
  for (std::string line; std::getline(lines, line) && line.find("┼") == std::string::npos;) {
    const auto axis = std::max(line.find("│") + 1, line.find("┤") + 1);
    std::size_t column = 0;
    for (std::size_t at = axis + 2; at < line.size(); ++column) {
      const std::size_t size = line[at] == ' ' ? 1 : 3;
      const auto level = std::find(kLevels.begin(), kLevels.end(), line.substr(at, size));
      if (sums.size() <= column) sums.resize(column + 1);
      if (level != kLevels.end()) sums[column] += static_cast<int>(level - kLevels.begin()) + 1;
      at += size;
    }
  }
  return sums;
}

TEST(PlotCurve, IsAsHighAsTheCurve) {
  const CurveRequest request{.pattern = "linear:rate=1MB/s", .horizon = std::chrono::seconds(80)};
  const auto end = trace_curve(request, {});
  ASSERT_TRUE(end);
  const auto plot = plot_curve(request, *end, 93);  // 80 columns
  ASSERT_TRUE(plot);
  const auto levels = heights(*plot);
  ASSERT_EQ(levels.size(), 80u) << *plot;
  for (std::size_t i = 0; i < 80; ++i) EXPECT_EQ(levels[i], static_cast<int>(i) + 1) << *plot;
}

TEST(PlotCurve, ANarrowTerminalStillShowsSomething) {
  const CurveRequest request{.pattern = "staircase", .horizon = std::chrono::minutes(5)};
  const auto end = trace_curve(request, {});
  for (const std::size_t width : {0U, 1U, 12U, 20U}) {
    const auto plot = plot_curve(request, *end, width);
    ASSERT_TRUE(plot);
    EXPECT_EQ(heights(*plot).size(), 10u) << *plot;
  }
}

TEST(TraceCurve, EndsBeforeTheHorizonOfAPlanWithoutEnd) {
  const auto end = trace_curve({.pattern = "hold", .horizon = std::chrono::hours(10)}, {});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, CurveEnd::Reason::horizon);
  EXPECT_EQ(end->at, std::chrono::hours(10));
  EXPECT_EQ(end->peak, 0u);
}

TEST(Completion, KnowsAllOptionsPatternsAndKinds) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string text = output_of({"completion", shell});
    for (const char* word : {"report-every", "sawtooth", "heap", "completion"}) {
      EXPECT_NE(text.find(word), std::string::npos) << shell << word;
    }
  }
}

TEST(Man, IsMadeFromTheSameTables) {
  const std::string text = output_of({"man"});
  EXPECT_TRUE(text.starts_with(".TH LEAKSIM 1 \"\" \"oomdrill ")) << text.substr(0, 60);
  for (const char* part : {"\\fB\\-\\-report\\-every\\fR \\fITIME\\fR", "LEAKSIM_REPORT_EVERY",
                           ".SS sawtooth", "\\fBfloor=\\fR\\fISIZE\\fR", "\\fBheap\\fR"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part;
  }
}

}  // namespace
}  // namespace oomdrill::simulator
