#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>

#include <algorithm>
#include <fstream>

#include "fixture_tree.h"
#include "probe_process.h"

namespace oomdrill::probe {
namespace {

using fake::has;
using fake::ProbeProcess;
using fake::run_script;

auto lines_in(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

struct EndRow {
  const char* script;
  int code;
  const char* verdict;
  const char* signal;
};

TEST(Run, ExitsAsTheCommandDidAndSaysWhy) {
  const EndRow rows[] = {
      {"exit 0", 0, "completed", ""},
      {"exit 3", 3, "failed", ""},
      {"exit 255", 255, "failed", ""},
      {"kill -TERM $$", 143, "stopped", "SIGTERM"},
      {"kill -KILL $$", 137, "killed", "SIGKILL"},
      {"kill -SEGV $$", 139, "crashed", "SIGSEGV"},
      {"kill -ABRT $$", 134, "crashed", "SIGABRT"},
      {"kill -USR1 $$", 138, "failed", "SIGUSR1"},
  };
  for (const EndRow& row : rows) {
    ProbeProcess probe(run_script(row.script));
    EXPECT_EQ(probe.wait(), row.code) << row.script;
    const auto exited = probe.the("workload.exited");
    EXPECT_TRUE(has(exited, std::string(R"("verdict":")") + row.verdict + '"')) << exited;
    EXPECT_TRUE(has(exited, R"("exit_code":)" + std::to_string(row.code) + ",")) << exited;
    if (*row.signal == '\0') {
      EXPECT_FALSE(has(exited, R"("signal":)")) << exited;
    } else {
      EXPECT_TRUE(has(exited, std::string(R"("signal":")") + row.signal + '"')) << exited;
    }
    EXPECT_EQ(probe.count("memory.oom_kill"), 0U);
    probe.the("probe.stopped");
  }
}

TEST(Run, TheCommandsOutputIsItsOwn) {
  ProbeProcess probe(run_script("echo to-out; echo to-err >&2"));
  EXPECT_EQ(probe.wait(), 0);
  EXPECT_TRUE(has(probe.out(), "\nto-out\n"));
  EXPECT_EQ(probe.err(), "to-err\n");
}

TEST(Run, WhatCannotBeExecutedIsToldInOneLine) {
  test::FixtureTree tree;
  tree.file("/plain", "echo x\n").file("/script", "#!/no/such/interpreter\n").file("/d/x", "");
  ::chmod((tree.path() + "/script").c_str(), 0755);
  struct Row {
    std::string command;
    int code;
    const char* part;
  };
  const Row rows[] = {
      {"no-such-command-anywhere", 127, "command not found"},
      {"/no/such/file", 127, "no such file"},
      {tree.path() + "/plain", 126, "permission denied"},
      {tree.path() + "/d", 126, "permission denied"},
      {tree.path() + "/script", 126, "interpreter is missing"},
  };
  for (const Row& row : rows) {
    ProbeProcess probe({"run", "--format", "json", "--", row.command, "argument"});
    EXPECT_EQ(probe.wait(), row.code) << row.command;
    EXPECT_TRUE(has(probe.err(), row.part)) << probe.err();
    EXPECT_TRUE(has(probe.err(), row.command)) << probe.err();
    EXPECT_EQ(lines_in(probe.err()), 1) << probe.err();
    EXPECT_EQ(probe.count("workload.started"), 0U);
    EXPECT_TRUE(has(probe.the("probe.stopped"), R"("reason":"exec_failed")"));
  }
}

TEST(Run, ForwardsAStopRequestAndReportsIt) {
  ProbeProcess probe(run_script("trap 'exit 7' TERM; echo ready; while :; do sleep 0.02; done"));
  ASSERT_TRUE(probe.wait_for("ready\n"));
  probe.signal(SIGTERM);
  EXPECT_EQ(probe.wait(), 7);
  const auto exited = probe.the("workload.exited");
  EXPECT_TRUE(has(exited, R"("verdict":"stopped")")) << exited;
  EXPECT_TRUE(has(exited, R"("stop_requested":true)")) << exited;
}

TEST(Run, ForwardsEveryCatchableSignal) {
  for (const char* name : {"HUP", "INT", "QUIT", "USR1", "USR2", "ALRM", "TERM", "WINCH", "CONT",
                           "URG", "IO", "PROF", "XCPU"}) {
    ProbeProcess probe(run_script(std::string("trap 'exit 9' ") + name +
                                  "; echo ready; while :; do sleep 0.02; done"));
    ASSERT_TRUE(probe.wait_for("ready\n")) << name;
    int number = 0;
    for (int signal = 1; signal < 32 && number == 0; ++signal) {
      if (SignalName(signal).view() == std::string("SIG") + name) number = signal;
    }
    // glibc calls 29 POLL.
    probe.signal(std::string(name) == "IO" ? SIGIO : number);
    EXPECT_EQ(probe.wait(), 9) << name;
  }
}

TEST(Run, ASignalThatComesDuringTheStartWaitsForTheCommand) {
  for (int i = 0; i < 20; ++i) {
    ProbeProcess probe(run_script("exec sleep 600"), [] {
      // Blocked and pending when the probe begins, as if it came at its first instruction.
      sigset_t set;
      sigemptyset(&set);
      sigaddset(&set, SIGTERM);
      sigprocmask(SIG_BLOCK, &set, nullptr);
      ::raise(SIGTERM);
    });
    // The mask is handed on, so the command would hold the signal back: it has to end otherwise.
    ASSERT_TRUE(probe.wait_for("workload.started"));
    probe.signal(SIGUSR1);
    EXPECT_EQ(probe.wait(), 138);
    EXPECT_TRUE(has(probe.the("workload.exited"), R"("stop_requested":true)"));
  }
}

TEST(Run, KillsWhatDoesNotStopWhenAskedTo) {
  ProbeProcess probe(run_script("trap '' TERM; echo ready; while :; do sleep 0.02; done",
                                {"--kill-after", "50ms"}));
  ASSERT_TRUE(probe.wait_for("ready\n"));
  probe.signal(SIGTERM);
  EXPECT_EQ(probe.wait(), 137);
  const auto exited = probe.the("workload.exited");
  EXPECT_TRUE(has(exited, R"("verdict":"stop_timeout","confidence":"certain")")) << exited;
  EXPECT_TRUE(has(exited, R"("stop_requested":true)")) << exited;
  EXPECT_TRUE(has(exited, R"("signals":{"SIGTERM":)")) << exited;
  EXPECT_TRUE(has(exited, R"(,"SIGKILL":)")) << exited;
}

TEST(Run, ARequestToStopIsToldOnceAndWhenItIsPassedOn) {
  // A stop timeout kills the container, and the probe with it: it could say nothing later.
  ProbeProcess probe(run_script("trap '' TERM; echo ready; while :; do sleep 0.02; done",
                                {"--kill-after", "200ms"}));
  ASSERT_TRUE(probe.wait_for("ready\n"));
  probe.signal(SIGTERM);
  ASSERT_TRUE(probe.wait_for("workload.stopping"));
  probe.signal(SIGTERM);
  EXPECT_EQ(probe.wait(), 137);
  EXPECT_LT(probe.out().find("workload.stopping"), probe.out().find("workload.exited"));
  const auto stopping = probe.the("workload.stopping");
  EXPECT_TRUE(has(stopping, R"("signal":"SIGTERM")")) << stopping;
}

TEST(Run, AnAbortInAFullAddressSpaceIsLikelyAnAllocationThatFailed) {
  // Half of the address space that it may have is taken at the look that comes before the end.
  ProbeProcess probe({"run", "--format", "json", "--interval", "20ms", "--min-interval", "20ms",
                      "--", "python3", "-c",
                      "import mmap, os, resource, time\n"
                      "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
                      "used = int(open('/proc/self/statm').read().split()[0]) * 4096\n"
                      "held = mmap.mmap(-1, (1 << 30) * 98 // 100 - used)\n"
                      "time.sleep(1)\n"
                      "try:\n"
                      "    bytearray(1 << 29)\n"
                      "except MemoryError:\n"
                      "    os.abort()\n"});
  EXPECT_EQ(probe.wait(), 134) << probe.out() << probe.err();
  const auto exited = probe.the("workload.exited");
  EXPECT_TRUE(has(exited, R"("verdict":"allocation_failed","confidence":"likely")")) << exited;
}

TEST(Run, WithoutKillAfterItWaits) {
  ProbeProcess probe(run_script(
      "trap 'echo heard' TERM; trap 'exit 4' USR1; echo ready; while :; do sleep 0.02; done"));
  ASSERT_TRUE(probe.wait_for("ready\n"));
  probe.signal(SIGTERM);
  ASSERT_TRUE(probe.wait_for("heard\n"));
  probe.signal(SIGUSR1);
  EXPECT_EQ(probe.wait(), 4);
  EXPECT_TRUE(has(probe.the("workload.exited"), R"("verdict":"stopped")"));
}

TEST(Run, ForwardsToTheGroupOnlyWhenAskedTo) {
  const std::string script =
      "trap 'wait; exit 5' USR1; "
      "(trap 'echo worker-got-it; exit 0' USR1; echo ready; i=0; "
      "while [ $i -lt 50 ]; do sleep 0.02; i=$((i+1)); done) & wait; wait; exit 6";
  ProbeProcess group(run_script(script, {"--signal-group"}));
  ASSERT_TRUE(group.wait_for("ready\n"));
  group.signal(SIGUSR1);
  EXPECT_EQ(group.wait(), 5);
  EXPECT_TRUE(has(group.out(), "worker-got-it\n"));

  ProbeProcess alone(run_script(script));
  ASSERT_TRUE(alone.wait_for("ready\n"));
  alone.signal(SIGUSR1);
  EXPECT_EQ(alone.wait(), 5);
  EXPECT_FALSE(has(alone.out(), "worker-got-it\n"));
}

TEST(Run, AdoptsAndReapsOrphans) {
  // The inner shell ends at once; its child must come to the probe, and leave no zombie behind.
  ProbeProcess probe(run_script(
      "orphan=$(sh -c 'sleep 0.3 >/dev/null & echo $!'); i=0; "
      "while ! grep -q \"PPid:.$PPID$\" /proc/$orphan/status; do "
      "  i=$((i+1)); [ $i -gt 200 ] && exit 8; sleep 0.02; done; "
      "while [ -e /proc/$orphan ]; do i=$((i+1)); [ $i -gt 2000 ] && exit 9; sleep 0.02; done; "
      "exit 0"));
  EXPECT_EQ(probe.wait(), 0) << probe.out() << probe.err();
}

TEST(Run, AThousandZombiesDoNotDelayTheEnd) {
  ProbeProcess probe(
      run_script("i=0; while [ $i -lt 200 ]; do (sh -c ':' &) ; i=$((i+1)); done; exit 3"));
  EXPECT_EQ(probe.wait(), 3);
}

TEST(Run, TheCommandGetsSignalsAsTheyWereFound) {
  ProbeProcess probe(
      {"run", "--format", "json", "--", "grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"}, [] {
        // A parent that ignores SIGCHLD would make waiting impossible.
        ::signal(SIGCHLD, SIG_IGN);
        ::signal(SIGPIPE, SIG_IGN);
        ::signal(SIGUSR2, SIG_IGN);
      });
  EXPECT_EQ(probe.wait(), 0);
  EXPECT_TRUE(has(probe.out(), "SigBlk:\t0000000000000000\n")) << probe.out();
  // SIGUSR2 (12) stays ignored, as nohup's SIGHUP would.
  EXPECT_TRUE(has(probe.out(), "SigIgn:\t0000000000000800\n")) << probe.out();
}

TEST(Run, RaisesTheCommandsScore) {
  const auto own = read_oom_score_adj(FileRoot(), "self");
  ASSERT_TRUE(own);
  ProbeProcess raised(run_script("echo score $(cat /proc/self/oom_score_adj)"));
  EXPECT_EQ(raised.wait(), 0);
  const auto line = raised.the("workload.started");
  const auto at = line.find(R"("oom_score_adj":)");
  ASSERT_NE(at, std::string::npos) << line;
  const int score = std::stoi(line.substr(at + 16));
  EXPECT_GT(score, *own);
  EXPECT_TRUE(has(raised.out(), "score " + std::to_string(score) + "\n")) << raised.out();

  ProbeProcess kept(
      run_script("echo score $(cat /proc/self/oom_score_adj)", {"--oom-score-adj", "keep"}));
  EXPECT_EQ(kept.wait(), 0);
  EXPECT_TRUE(has(kept.out(), "score " + std::to_string(*own) + "\n")) << kept.out();
}

TEST(Run, HandsTheTerminalOn) {
  const Fd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(master);
  ASSERT_EQ(::grantpt(master.get()), 0);
  ASSERT_EQ(::unlockpt(master.get()), 0);
  const std::string terminal = ::ptsname(master.get());
  // Fields 5 and 8 of stat: the process group, and the terminal's foreground group.
  ProbeProcess probe(run_script("set -- $(cat /proc/$$/stat); [ $5 = $8 ] && [ $5 = $$ ]"),
                     [&terminal] {
                       ::setsid();
                       const int fd = ::open(terminal.c_str(), O_RDWR);
                       ::ioctl(fd, TIOCSCTTY, 0);
                       ::dup2(fd, STDIN_FILENO);
                     });
  EXPECT_EQ(probe.wait(), 0);
}

TEST(Run, WithoutAnyCgroupTheCommandRunsUnharmed) {
  test::FixtureTree tree;  // no /proc, no /sys
  ProbeProcess probe(run_script("exit 5"), {}, tree.path());
  EXPECT_EQ(probe.wait(), 5);
  EXPECT_TRUE(has(probe.out(), "no memory cgroup can be read"));
  EXPECT_EQ(probe.count("memory.sample"), 0U);
  EXPECT_TRUE(has(probe.the("workload.exited"), R"("verdict":"failed")"));

  ProbeProcess killed(run_script("kill -KILL $$"), {}, tree.path());
  EXPECT_EQ(killed.wait(), 137);
  EXPECT_TRUE(has(killed.the("workload.exited"),
                  R"("verdict":"killed","confidence":"unknown","oom_evidence":"none")"));
}

TEST(Run, AReaderThatIsGoneHarmsNobody) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd read_end(ends[0]);
  const int write_end = ends[1];
  test::FixtureTree tree;
  const std::string mark = tree.path() + "/done";
  auto arguments = run_script("sleep 0.2; : > " + mark + "; exit 6", {"--output", "-"});
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(write_end, STDOUT_FILENO);
    ::close(ends[0]);
    const SystemClock clock;
    ::_exit(run_program(
        arguments,
        {.root = {}, .environment = [](const char*) { return nullptr; }, .clock = &clock}));
  }
  ::close(write_end);
  // Closed for good: from here on each write is an EPIPE.
  const_cast<Fd&>(read_end).reset();
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 6) << status;
  EXPECT_TRUE(std::ifstream(mark).good());
}

TEST(Run, AFullDiskHarmsNobodyAndIsTold) {
  test::FixtureTree tree;
  ProbeProcess probe(run_script("exit 6", {"--output", "/dev/full"}));
  EXPECT_EQ(probe.wait(), 6);
  EXPECT_TRUE(probe.err().starts_with("oomprobe: /dev/full: ")) << probe.err();
  EXPECT_TRUE(has(probe.err(),
                  " events could not be written: No space left on device; free space "
                  "there, or name another --output\n"))
      << probe.err();
  ProbeProcess watch({"watch", "--output", "/dev/full", "--recorder", tree.path() + "/flight",
                      "--interval", "20ms"});
  for (;;) {
    ProbeProcess recovered({"recover", tree.path() + "/flight"});
    if (recovered.wait() == 0 && recovered.count("memory.sample") > 0) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  watch.signal(SIGTERM);
  EXPECT_EQ(watch.wait(), 74) << watch.err();
}

TEST(Run, AReaderThatNeverReadsHoldsUpNobodyAndGetsTheVerdictFirst) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  const int flags = ::fcntl(write_end.get(), F_GETFL);
  test::FixtureTree tree;
  const std::string mark = tree.path() + "/done";
  const auto arguments = run_script("sleep 4; : > " + mark + "; exit 6",
                                    {"--interval", "10ms", "--min-interval", "10ms"});
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(write_end.get(), STDOUT_FILENO);
    ::dup2(::open("/dev/null", O_WRONLY), STDERR_FILENO);
    const SystemClock clock;
    ::_exit(run_program(
        arguments,
        {.root = {}, .environment = [](const char*) { return nullptr; }, .clock = &clock}));
  }
  // 64 KiB of samples fill the pipe within a second; read only once the workload is done.
  while (!std::ifstream(mark).good()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_EQ(::fcntl(write_end.get(), F_GETFL), flags) << "a shared descriptor is left as it is";
  write_end.reset();
  std::string text;
  char buffer[4096];
  for (ssize_t n = 0; (n = ::read(read_end.get(), buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(n));
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 6) << status;
  const auto stopped = fake::lines_of(text, "probe.stopped");
  ASSERT_EQ(fake::lines_of(text, "workload.exited").size(), 1U) << text;
  ASSERT_EQ(stopped.size(), 1U);
  EXPECT_FALSE(has(stopped[0], R"("dropped":0,)")) << stopped[0];
}

TEST(Run, WritesToAFileAndRefusesOneThatCannotBe) {
  test::FixtureTree tree;
  const std::string path = tree.path() + "/events";
  ProbeProcess probe(run_script("echo mine", {"--output", path}));
  EXPECT_EQ(probe.wait(), 0);
  EXPECT_EQ(probe.out(), "mine\n");
  const auto text = read_file(path);
  ASSERT_TRUE(text);
  EXPECT_EQ(fake::lines_of(*text, "workload.exited").size(), 1U);

  ProbeProcess refused(run_script("echo mine", {"--output", "/no/such/folder/events"}));
  EXPECT_EQ(refused.wait(), 73);
  EXPECT_EQ(refused.out(), "") << "the command is not started";
}

TEST(Run, AFlightRecorderOutlivesAllOfUsAndTheNextRunTells) {
  test::FixtureTree tree;
  const std::string path = tree.path() + "/flight";
  {
    ProbeProcess probe(run_script(
        "exec sleep 600", {"--recorder", path, "--interval", "20ms", "--min-interval", "20ms"}));
    ASSERT_TRUE(probe.wait_for("memory.sample")) << probe.out() << probe.err();
    const auto line = probe.the("workload.started");
    const pid_t workload = std::stoi(line.substr(line.find(R"("pid":)") + 6));
    ::kill(probe.pid(), SIGKILL);  // as if the container went
    EXPECT_EQ(probe.wait(), 1009);
    ::kill(workload, SIGKILL);
  }
  ProbeProcess recovered({"recover", path});
  EXPECT_EQ(recovered.wait(), 0) << recovered.err();
  EXPECT_EQ(recovered.count("probe.started"), 1U);
  EXPECT_GE(recovered.count("memory.sample"), 1U);
  EXPECT_EQ(recovered.count("probe.stopped"), 0U);

  ProbeProcess again(run_script("exit 3", {"--recorder", path}));
  EXPECT_EQ(again.wait(), 3);
  const auto previous = again.the("probe.previous_run");
  EXPECT_TRUE(has(previous, R"("outcome":"vanished","command":"sh -c exec sleep 600")"))
      << previous;
  ProbeProcess third(run_script("exit 0", {"--recorder", path}));
  EXPECT_EQ(third.wait(), 0);
  EXPECT_TRUE(has(third.the("probe.previous_run"), R"("outcome":"stopped","verdict":"failed")"));

  ProbeProcess all({"recover", path});
  EXPECT_EQ(all.wait(), 0);
  EXPECT_EQ(all.count("probe.started"), 3U) << "all of them stand in the ring";
  EXPECT_EQ(all.count("workload.exited"), 2U);
}

TEST(Run, AFlightRecorderThatCannotBeIsRefused) {
  test::FixtureTree tree;
  tree.file("/letter", "Dear Sir or Madam,\n");
  const std::string letter = tree.path() + "/letter";
  ProbeProcess refused(run_script("echo mine", {"--recorder", letter}));
  EXPECT_EQ(refused.wait(), 73);
  EXPECT_TRUE(has(refused.err(), "--recorder: " + letter + ": is no flight recorder"))
      << refused.err();
  EXPECT_EQ(refused.out(), "") << "the command is not started";
  EXPECT_EQ(*read_file(letter), "Dear Sir or Madam,\n");
  ProbeProcess nowhere(run_script("echo mine", {"--recorder", "/no/such/folder/flight"}));
  EXPECT_EQ(nowhere.wait(), 73);
  EXPECT_EQ(lines_in(nowhere.err()), 1) << nowhere.err();
}

TEST(Watch, EndsAtAStopRequest) {
  for (const int signal : {SIGTERM, SIGINT}) {
    ProbeProcess probe(
        {"watch", "--format", "json", "--interval", "20ms", "--min-interval", "20ms"});
    ASSERT_TRUE(probe.wait_for(R"("event":"memory.sample")")) << probe.err();
    probe.signal(signal);
    EXPECT_EQ(probe.wait(), 0);
    EXPECT_TRUE(has(probe.the("probe.stopped"), R"("reason":"signal")"));
  }
}

struct CommandLineRow {
  std::vector<std::string> arguments;
  int code;
  const char* out;
  const char* err;
};

TEST(CommandLine, BadInputIsOneLineAndADocumentedCode) {
  const CommandLineRow rows[] = {
      {{}, 64, "", "no command was given"},
      {{"fly"}, 64, "", "'fly' is no command of oomprobe"},
      {{"run"}, 64, "", "no command was given"},
      {{"run", "--interval", "0", "--", "true"}, 64, "", "--interval: '0' is too short"},
      {{"run", "--max-interval", "500ms", "--", "true"}, 64, "", "shorter than --interval"},
      {{"run", "--max-events-per-minute", "0", "--", "true"}, 64, "", "is no number of events"},
      {{"run", "--format", "xml", "--", "true"}, 64, "", "--format: 'xml'"},
      {{"run", "--metric-namespace", "AWS/ECS", "--", "true"}, 64, "", "AWS/ is reserved"},
      {{"watch", "--cgroup", "/no/such/cgroup"}, 69, "", "/no/such/cgroup"},
      {{"watch", "--cgroup", "/no/such/cgroup"}, 69, "", "name the folder of a memory cgroup"},
      {{"snapshot", "--cgroup", "/nope"}, 69, "", "name the folder of a memory cgroup"},
      {{"watch", "--pid", "0"}, 64, "", "--pid: '0' is no pid"},
      {{"watch", "--pid", "999999999"}, 69, "", "--pid: there is no process 999999999"},
      {{"watch", "--pid", "1", "--cgroup", "/x"}, 64, "", "beside --cgroup"},
      {{"doctor", "--format", "emf"}, 64, "", "is no format of doctor; use text or json"},
      {{"watch", "--", "true"}, 64, "", "watch runs no command"},
      {{"snapshot", "--cgroup", "/no/such/cgroup"}, 69, "", "/no/such/cgroup"},
      {{"snapshot", "--fail-above", "95"}, 64, "", "--fail-above: '95' is no percentage"},
      {{"doctor", "--format", "xml"}, 64, "", "--format: 'xml'"},
      {{"doctor", "--cgroup", "/no/such/cgroup"}, 69, "What follows:", ""},
      {{"recover"}, 64, "", "no flight recorder was named; write oomprobe recover PATH"},
      {{"recover", "/no/such/file"}, 69, "", "/no/such/file"},
      {{"recover", "/proc/self/stat"}, 69, "", "is no flight recorder"},
      {{"run", "--recorder-size", "1KiB", "--", "true"}, 64, "", "give 64KiB to 1GiB"},
      {{"--help"}, 0, "snapshot", ""},
      {{"--version"}, 0, "oomprobe ", ""},
      {{"run", "--help"}, 0, "OOMPROBE_KILL_AFTER", ""},
      {{"doctor", "--version"}, 0, "oomprobe ", ""},
  };
  for (const CommandLineRow& row : rows) {
    ProbeProcess probe(row.arguments);
    EXPECT_EQ(probe.wait(), row.code) << row.err << row.out;
    EXPECT_TRUE(has(probe.out(), row.out)) << probe.out();
    EXPECT_TRUE(has(probe.err(), row.err)) << probe.err();
    EXPECT_EQ(lines_in(probe.err()), *row.err == '\0' ? 0 : 1) << probe.err();
  }
}

}  // namespace
}  // namespace oomdrill::probe
