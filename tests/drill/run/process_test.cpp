#include "run/process.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>

namespace oomdrill::run {
namespace {

TEST(Process, RunsToItsEnd) {
  const auto finished =
      run_to_end({"/bin/sh", "-c", "echo out; echo first >&2; echo last >&2; exit 3"},
                 std::chrono::seconds(60));
  ASSERT_TRUE(finished) << finished.error().line();
  EXPECT_EQ(finished->out, "out\n");
  EXPECT_FALSE(finished->ok());
  EXPECT_EQ(finished->reason(), "last");
  EXPECT_EQ(exit_code_of(finished->status), 3);
}

TEST(Process, WhatDoesNotEndIsKilled) {
  const auto finished = run_to_end({"/bin/sleep", "1000"}, std::chrono::milliseconds(50));
  ASSERT_FALSE(finished);
  EXPECT_NE(finished.error().line().find("/bin/sleep"), std::string::npos);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
  EXPECT_EQ(errno, ECHILD);
}

TEST(Process, WhatCannotBeExecutedIsAnError) {
  const auto child = spawn({"/nonexistent/program"});
  ASSERT_FALSE(child);
  EXPECT_NE(child.error().line().find("/nonexistent/program"), std::string::npos);
  EXPECT_NE(child.error().line().find("No such file"), std::string::npos);
}

TEST(Process, AFailedEntranceKeepsTheProgramFromRunning) {
  const auto child = spawn({"/bin/true"}, [] { return EBUSY; });
  ASSERT_FALSE(child);
  EXPECT_NE(child.error().line().find("cannot enter the cgroup"), std::string::npos);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST(Process, DescribesHowItEnded) {
  const auto killed = run_to_end({"/bin/sh", "-c", "kill -9 $$"}, std::chrono::seconds(60));
  ASSERT_TRUE(killed);
  EXPECT_EQ(killed->reason(), "died by SIGKILL");
  EXPECT_EQ(exit_code_of(killed->status), 137);
  EXPECT_EQ(describe_status(3 << 8), "exited 3");
}

TEST(Process, LooksForProgramsByName) {
  EXPECT_TRUE(find_on_path("sh"));
  const auto missing = find_program("no-such-program-anywhere");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().line().find("no-such-program-anywhere"), std::string::npos);
}

TEST(Process, CommandsReadAsAShellTakesThem) {
  EXPECT_EQ(join_command({"leaksim", "--rate", "8MB/s", "90%"}), "leaksim --rate 8MB/s 90%");
  EXPECT_EQ(join_command({"sh", "-c", "it's $x", ""}), R"(sh -c 'it'\''s $x' '')");
}

}  // namespace
}  // namespace oomdrill::run
