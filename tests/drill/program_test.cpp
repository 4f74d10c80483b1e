#include <gtest/gtest.h>

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
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{},
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
                                             {"trend"},
                                             {"trend", "--format", "xml", "r"},
                                             {"rightsize"},
                                             {"rightsize", "--margin", "0", "r"},
                                             {"report"},
                                             {"report", "--format", "pdf", "r"},
                                             {"run", "--workload"}}) {
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

}  // namespace
}  // namespace oomdrill::drill
