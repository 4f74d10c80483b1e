// Real signals, to a real process.
#include "signals.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "machine.h"

namespace oomdrill::simulator {
namespace {

using test::FakeMachine;

/// Runs leaksim in a child until it has written `ready` to its output, sends
/// `signals`, and waits.
struct Ending {
  int status = 0;
  std::string out;
};

Ending interrupt(const std::vector<std::string>& arguments, std::string_view ready,
                 const std::vector<int>& signals, bool deaf = false,
                 std::chrono::milliseconds pause = std::chrono::milliseconds(0)) {
  FakeMachine machine;
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    SystemClock clock;
    machine.other_clock = &clock;
    const volatile std::sig_atomic_t& caught = catch_signals();
    const volatile std::sig_atomic_t never = 0;
    ::_exit(machine.run(arguments, deaf ? never : caught));
  }
  // As long as a machine under load may need; the loop ends as soon as it can.
  for (int i = 0; i < 6000 && machine.out.text().find(ready) == std::string::npos; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  for (const int signal : signals) {
    ::kill(child, signal);
    if (signals.size() > 1) std::this_thread::sleep_for(pause);
  }
  Ending ending;
  EXPECT_EQ(::waitpid(child, &ending.status, 0), child);
  ending.out = machine.out.text();
  return ending;
}

TEST(Signals, EndASleepWithTheLastEventAndCodeZero) {
  for (const int signal : {SIGTERM, SIGINT}) {
    const Ending ending =
        interrupt({"-p", "burst:interval=1h", "--report-every", "0"}, "leak.started", {signal});
    ASSERT_TRUE(WIFEXITED(ending.status));
    EXPECT_EQ(WEXITSTATUS(ending.status), 0);
    EXPECT_NE(ending.out.find(R"("event":"leak.stopped")"), std::string::npos);
    EXPECT_NE(ending.out.find(signal == SIGTERM ? R"("signal":"SIGTERM")" : R"("signal":"SIGINT")"),
              std::string::npos)
        << ending.out;
  }
}

TEST(Signals, EndAFillInItsMiddle) {
  // An endless fill without a pause; the reports show that it is under way.
  const Ending ending =
      interrupt({"--rate", "max", "--report-every", "10ms"}, "leak.progress", {SIGTERM});
  ASSERT_TRUE(WIFEXITED(ending.status));
  EXPECT_EQ(WEXITSTATUS(ending.status), 0);
  EXPECT_NE(ending.out.find(R"("reason":"signal","signal":"SIGTERM")"), std::string::npos);
}

TEST(Signals, ToldTwiceAtOnceAreOneWish) {
  // As timeout(1) does.
  const Ending ending = interrupt({"-p", "burst:interval=1h", "--report-every", "0"},
                                  "leak.started", {SIGTERM, SIGTERM});
  ASSERT_TRUE(WIFEXITED(ending.status));
  EXPECT_EQ(WEXITSTATUS(ending.status), 0);
  EXPECT_NE(ending.out.find("leak.stopped"), std::string::npos);
}

TEST(Signals, TheSecondExitsAtOnce) {
  // A leak that does not look at the first.
  const Ending ending =
      interrupt({"-p", "burst:interval=1h", "--report-every", "0"}, "leak.started",
                {SIGTERM, SIGINT}, true, std::chrono::milliseconds(1100));
  ASSERT_TRUE(WIFEXITED(ending.status));
  // A child that was not scheduled in between gets both together, in either
  // order.
  const int code = WEXITSTATUS(ending.status);
  EXPECT_TRUE(code == 128 + SIGINT || code == 128 + SIGTERM) << code;
  EXPECT_EQ(ending.out.find("leak.stopped"), std::string::npos);
}

}  // namespace
}  // namespace oomdrill::simulator
