#include "base/options.h"

#include <gtest/gtest.h>

#include "base/units.h"

namespace oomdrill {
namespace {

constexpr Option kOptions[] = {
    {.name = "rate", .value = "RATE", .default_value = "1MB/s", .help = "Growth"},
    {.name = "max-bytes", .value = "SIZE", .default_value = "", .help = "Ceiling"},
    {.name = "hold", .value = "", .default_value = "", .help = "Hold"},
    {.name = "phase", .value = "TEXT", .default_value = "", .help = "Phase", .repeatable = true},
};
constexpr Command kCommand{
    .program = "leaksim", .name = "", .synopsis = "", .summary = "Leaks.", .options = kOptions};

Result<Arguments> parse(std::vector<std::string> arguments,
                        std::map<std::string, std::string> environment = {},
                        const Command& command = kCommand) {
  return parse_arguments(command, arguments, [&environment](const char* name) {
    const auto it = environment.find(name);
    return it == environment.end() ? nullptr : it->second.c_str();
  });
}

TEST(Options, FlagBeatsVariableBeatsDefault) {
  EXPECT_EQ(parse({})->text("rate"), "1MB/s");
  EXPECT_EQ(parse({}, {{"LEAKSIM_RATE", "2MB/s"}})->text("rate"), "2MB/s");
  EXPECT_EQ(parse({"--rate", "3MB/s"}, {{"LEAKSIM_RATE", "2MB/s"}})->text("rate"), "3MB/s");
  EXPECT_FALSE(parse({})->given("rate"));
  EXPECT_TRUE(parse({"--rate=3MB/s"})->given("rate"));
}

TEST(Options, SwitchesReadTheirVariableAsTruth) {
  EXPECT_FALSE(parse({})->flag("hold"));
  EXPECT_TRUE(parse({"--hold"})->flag("hold"));
  EXPECT_TRUE(parse({}, {{"LEAKSIM_HOLD", "1"}})->flag("hold"));
  EXPECT_FALSE(parse({}, {{"LEAKSIM_HOLD", "false"}})->flag("hold"));
  EXPECT_FALSE(parse({"--hold=false"})->flag("hold"));
}

TEST(Options, ValuesKeepTheirCommasAndOrder) {
  const auto arguments = parse({"--phase", "a:x=1,y=2", "--phase", "b"});
  EXPECT_EQ(arguments->all("phase"), (std::vector<std::string>{"a:x=1,y=2", "b"}));
}

TEST(Options, CommandStandsBehindTheDashes) {
  Command command = kCommand;
  command.takes_command = true;
  const auto arguments = parse({"--hold", "--", "sh", "-c", "exit 3", "--", "x"}, {}, command);
  EXPECT_EQ(arguments->command, (std::vector<std::string>{"sh", "-c", "exit 3", "--", "x"}));
}

TEST(Options, WhereNoCommandIsTakenNothingBehindTheDashesIsPassedOver) {
  const auto surplus = parse({"--hold", "--", "--rate", "8MB/s"});
  ASSERT_FALSE(surplus);
  EXPECT_EQ(surplus.error().line(),
            "'--rate' stands behind --, and leaksim runs no command; see leaksim --help");
  Command command = kCommand;
  command.takes_positionals = true;
  const auto arguments = parse({"one", "--", "--two"}, {}, command);
  EXPECT_EQ(arguments->positionals, (std::vector<std::string>{"one", "--two"}));
  EXPECT_TRUE(arguments->command.empty());
}

TEST(Options, ErrorsNameTheArgumentAndTheRemedy) {
  const auto unknown = parse({"--rat", "1"});
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().line().find("rat"), std::string::npos);
  EXPECT_NE(unknown.error().line().find("leaksim --help"), std::string::npos);
  EXPECT_FALSE(parse({"--rate"}));
  EXPECT_FALSE(parse({"surplus"}));
}

TEST(Options, TypedErrorsNameWhereTheValueCameFrom) {
  const auto flag = parse({"--rate", "0"})->get("rate", parse_rate);
  ASSERT_FALSE(flag);
  EXPECT_TRUE(flag.error().line().starts_with("--rate: ")) << flag.error().line();
  const auto variable = parse({}, {{"LEAKSIM_RATE", "-1"}})->get("rate", parse_rate);
  ASSERT_FALSE(variable);
  EXPECT_TRUE(variable.error().line().starts_with("LEAKSIM_RATE: ")) << variable.error().line();
}

TEST(Options, AVariableThatNoOptionReadsIsRefused) {
  const auto check = [](std::vector<const char*> environment) {
    environment.push_back(nullptr);
    constexpr std::string_view kOthers[] = {"LEAKSIM_INTERNAL"};
    const auto result = check_variables(std::span(&kCommand, 1), environment.data(), kOthers);
    return result ? std::string() : result.error().line();
  };
  EXPECT_EQ(check({"PATH=/bin", "LEAKSIM_RATE=1MB/s", "LEAKSIM_MAX_BYTES=1", "LEAKSIM_INTERNAL=1",
                   "LEAKSIMS_RAT=1", "LEAKSIM_RAT=", "LEAKSIM_PORT=tcp://10.0.0.1:80",
                   "LEAKSIM_PORT_80_TCP=tcp://10.0.0.1:80", "LEAKSIM_SERVICE_HOST=10.0.0.1"}),
            "");
  EXPECT_EQ(check({"LEAKSIM_RAET=1MB/s"}),
            "LEAKSIM_RAET: no option has this variable; the nearest is LEAKSIM_RATE; see leaksim "
            "--help");
  EXPECT_NE(check({"LEAKSIM_MAXBYTES=1"}).find("nearest is LEAKSIM_MAX_BYTES"), std::string::npos);
  EXPECT_TRUE(check_variables(std::span(&kCommand, 1), nullptr));
  const char* environment[] = {"LEAKSIM_CACHE=/tmp", "LEAKSIM_RAET=1", nullptr};
  const auto near = check_variables(std::span(&kCommand, 1), environment, {}, 1);
  ASSERT_FALSE(near);
  EXPECT_TRUE(near.error().line().starts_with("LEAKSIM_RAET: ")) << near.error().line();
}

TEST(Options, HelpShowsVariableAndDefault) {
  const std::string help = help_text(kCommand);
  for (const char* part :
       {"--rate", "LEAKSIM_RATE", "default 1MB/s", "LEAKSIM_MAX_BYTES", "--help"}) {
    EXPECT_NE(help.find(part), std::string::npos) << help;
  }
}

}  // namespace
}  // namespace oomdrill
