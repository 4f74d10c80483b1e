#include "options.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace oomdrill::probe {
namespace {

const Command& command(std::string_view name) {
  for (const Command& each : commands()) {
    if (each.name == name) return each;
  }
  throw std::runtime_error("no command");
}

template <class Settings>
Result<Settings> parse(std::string_view name, Result<Settings> (*read)(const Arguments&),
                       std::vector<std::string> texts,
                       std::map<std::string, std::string> variables = {}) {
  const auto environment = [&variables](const char* key) -> const char* {
    const auto it = variables.find(key);
    return it == variables.end() ? nullptr : it->second.c_str();
  };
  const auto arguments = parse_arguments(command(name), texts, environment);
  if (!arguments) return fail(arguments.error());
  return read(*arguments);
}

TEST(RunOptions, HaveDefaults) {
  const auto run = parse("run", read_run, {"--", "sh", "-c", "x"});
  ASSERT_TRUE(run) << run.error().line();
  EXPECT_EQ(run->command, (std::vector<std::string>{"sh", "-c", "x"}));
  EXPECT_EQ(run->watch.policy.interval, std::chrono::seconds(1));
  EXPECT_EQ(run->watch.policy.min_interval, std::chrono::milliseconds(50));
  EXPECT_EQ(run->watch.policy.thresholds, (std::vector<double>{75, 85, 95}));
  EXPECT_EQ(run->watch.policy.hysteresis, 5);
  EXPECT_EQ(run->watch.thresholds, "75%,85%,95%");
  EXPECT_EQ(run->watch.output.path, "-");
  EXPECT_EQ(run->watch.output.metric_namespace, "oomdrill");
  EXPECT_EQ(run->watch.ecs_timeout, std::chrono::milliseconds(500));
  EXPECT_FALSE(run->signal_group);
  EXPECT_FALSE(run->kill_after);
  EXPECT_EQ(run->score, RunSettings::Score::raise);
}

TEST(RunOptions, ComeFromVariablesToo) {
  const auto run = parse("run", read_run, {"--kill-after", "5s", "--", "x"},
                         {{"OOMPROBE_INTERVAL", "250ms"},
                          {"OOMPROBE_KILL_AFTER", "9s"},
                          {"OOMPROBE_SIGNAL_GROUP", "1"},
                          {"OOMPROBE_OOM_SCORE_ADJ", "-5"}});
  ASSERT_TRUE(run) << run.error().line();
  EXPECT_EQ(run->watch.policy.interval, std::chrono::milliseconds(250));
  EXPECT_EQ(run->kill_after, std::chrono::seconds(5)) << "a flag comes before a variable";
  EXPECT_TRUE(run->signal_group);
  EXPECT_EQ(run->score, RunSettings::Score::set);
  EXPECT_EQ(run->oom_score_adj, -5);
}

TEST(Thresholds, AreSortedAndUnique) {
  EXPECT_EQ(*parse_thresholds("95%,50%,95%,7.5%"), (std::vector<double>{7.5, 50, 95}));
  EXPECT_TRUE(parse_thresholds("none")->empty());
}

struct BadRow {
  std::vector<std::string> arguments;
  const char* part;  ///< of the error
};

TEST(RunOptions, BadOnesAreRefusedByNameAndWithARemedy) {
  const BadRow rows[] = {
      {{}, "no command was given; write oomprobe run [options] -- COMMAND"},
      {{"--"}, "no command was given"},
      {{"--", ""}, "no command was given"},
      {{"sleep", "1"}, "'sleep' stands before '--'"},
      {{"--interval", "0", "--", "x"}, "--interval: '0' is too short"},
      {{"--interval", "soon", "--", "x"}, "--interval: 'soon'"},
      {{"--min-interval", "1ms", "--", "x"}, "--min-interval: '1ms'"},
      {{"--thresholds", "75", "--", "x"}, "--thresholds: '75' is no percentage"},
      {{"--thresholds", "75%,,85%", "--", "x"}, "--thresholds: ''"},
      {{"--thresholds", "75%,120%", "--", "x"}, "--thresholds: '120%'"},
      {{"--thresholds", "1%,2%,3%,4%,5%,6%,7%,8%,9%", "--", "x"}, "9 thresholds are too many"},
      {{"--hysteresis", "5", "--", "x"}, "--hysteresis: '5'"},
      {{"--kill-after", "never", "--", "x"}, "--kill-after: 'never'"},
      {{"--oom-score-adj", "1001", "--", "x"}, "--oom-score-adj: '1001'"},
      {{"--oom-score-adj", "high", "--", "x"}, "--oom-score-adj: 'high'"},
      {{"--ecs-timeout", "x", "--", "x"}, "--ecs-timeout: 'x'"},
      {{"--colour", "red", "--", "x"}, "colour"},
  };
  for (const BadRow& row : rows) {
    const auto run = parse("run", read_run, row.arguments);
    ASSERT_FALSE(run) << row.part;
    EXPECT_NE(run.error().line().find(row.part), std::string::npos) << run.error().line();
    EXPECT_EQ(run.error().line().find('\n'), std::string::npos);
  }
}

TEST(RunOptions, DimensionsAndPrometheus) {
  const auto run = parse("run", read_run, {"--dimensions", "Stage=prod,Team=a=b", "--", "x"},
                         {{"OOMPROBE_PROMETHEUS", ":9464"}});
  ASSERT_TRUE(run) << run.error().line();
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(run->watch.output.dimensions, (Pairs{{"Stage", "prod"}, {"Team", "a=b"}}));
  ASSERT_TRUE(run->watch.prometheus);
  std::string many;
  for (int i = 0; i < 31; ++i) many += "D" + std::to_string(i) + "=x,";
  many.pop_back();
  const BadRow rows[] = {
      {{"--dimensions", "prod", "--", "x"}, "--dimensions: 'prod' is no dimension"},
      {{"--dimensions", "Stage=", "--", "x"}, "its value '' is blank"},
      {{"--dimensions", "=x", "--", "x"}, "its name is blank"},
      {{"--dimensions", ":a=x", "--", "x"}, "begins with ':'"},
      {{"--dimensions", "Stage=\xc3\xa4", "--", "x"}, "not printable ASCII"},
      {{"--dimensions", "A=x,A=x", "--", "x"}, "'A' is named twice"},
      {{"--dimensions", "A=x,A=y", "--", "x"}, "two values"},
      {{"--dimensions", "task_id=x", "--", "x"}, "'task_id' could be a member of events"},
      {{"--dimensions", many, "--", "x"}, "31 dimensions"},
      {{"--prometheus", "9464", "--", "x"}, "--prometheus: '9464' is no address to listen on"},
      {{"--prometheus", "/run/x.txt", "--", "x"}, "does not end in .prom"},
  };
  for (const BadRow& row : rows) {
    const auto bad = parse("run", read_run, row.arguments);
    ASSERT_FALSE(bad) << row.part;
    EXPECT_NE(bad.error().line().find(row.part), std::string::npos) << bad.error().line();
  }
}

TEST(WatchOptions, AllSiblingsStandsAlone) {
  EXPECT_TRUE(parse("watch", read_watch, {"--all-siblings"})->all_siblings);
  EXPECT_FALSE(parse("watch", read_watch, {})->all_siblings);
  EXPECT_FALSE(parse("watch", read_watch, {"--all-siblings", "--pid", "3"}));
  EXPECT_FALSE(parse("watch", read_watch, {"--all-siblings", "--cgroup", "/x"}));
  EXPECT_FALSE(parse("watch", read_watch, {"--all-siblings", "--recorder", "/x"}));
}

TEST(WatchOptions, SourceIsAutoCgroupOrEcs) {
  using From = WatchSettings::From;
  EXPECT_EQ(parse("watch", read_watch, {})->from, From::automatic);
  EXPECT_EQ(parse("watch", read_watch, {"--source", "cgroup"})->from, From::cgroup);
  EXPECT_EQ(parse("watch", read_watch, {}, {{"OOMPROBE_SOURCE", "ecs"}})->from, From::ecs);
  EXPECT_FALSE(parse("watch", read_watch, {"--source", "docker"}));
  for (const auto& [option, value] : std::vector<std::pair<std::string, std::string>>{
           {"--pid", "3"}, {"--cgroup", "/x"}, {"--recorder", "/x"}, {"--prometheus", ":9464"}}) {
    EXPECT_FALSE(parse("watch", read_watch, {"--source", "ecs", option, value})) << option;
    EXPECT_TRUE(parse("watch", read_watch, {option, value})) << option;
  }
  EXPECT_FALSE(parse("watch", read_watch, {"--source", "ecs", "--all-siblings"}));
}

TEST(SnapshotOptions, FailAboveIsOptional) {
  EXPECT_FALSE(parse("snapshot", read_snapshot, {})->fail_above);
  EXPECT_EQ(parse("snapshot", read_snapshot, {"--fail-above", "95%"})->fail_above, 95);
  EXPECT_FALSE(parse("snapshot", read_snapshot, {"--fail-above", "0%"}));
}

TEST(Commands, EachOptionHasHelpAndAppearsInIt) {
  for (const Command& each : commands()) {
    const std::string text = help_text(each);
    std::set<std::string_view> names;
    for (const Option& option : each.options) {
      EXPECT_TRUE(names.insert(option.name).second) << option.name;
      EXPECT_FALSE(option.help.empty());
      EXPECT_NE(text.find(environment_name(each, option)), std::string::npos) << option.name;
    }
  }
}

}  // namespace
}  // namespace oomdrill::probe
