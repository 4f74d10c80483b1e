#include "telemetry/sink.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <string>
#include <thread>

#include "fixture_tree.h"

namespace {
std::atomic<bool> see_room_once = false;
}  // namespace

// In place of libc's for this program: on demand it reports room that is not there.
extern "C" int ppoll(pollfd* entries, nfds_t count, const timespec* timeout, const sigset_t* mask) {
  if (see_room_once.exchange(false)) {
    entries[0].revents = POLLOUT;
    return 1;
  }
  timespec left = timeout != nullptr ? *timeout : timespec{};  // the kernel writes to it
  return static_cast<int>(::syscall(SYS_ppoll, entries, count, timeout != nullptr ? &left : nullptr,
                                    mask, sizeof(std::uint64_t)));
}

namespace oomdrill::telemetry {
namespace {

using std::chrono::milliseconds;

/// What the programs do; a workload gets the default back.
class SinkTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { std::signal(SIGPIPE, SIG_IGN); }
};

struct Pipe {
  Fd read;
  Fd write;
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    read = Fd(ends[0]);
    write = Fd(ends[1]);
  }
  /// Until nothing more fits, whatever flags the description has.
  void fill() const {
    const Fd own(::open(("/proc/self/fd/" + std::to_string(write.get())).c_str(),
                        O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    const std::string page(4096, 'f');
    while (::write(own.get(), page.data(), page.size()) > 0) {
    }
  }
  /// Everything that is in the pipe now.
  [[nodiscard]] std::string drain() const {
    std::string text;
    std::array<char, 65536> buffer;
    pollfd entry{.fd = read.get(), .events = POLLIN, .revents = 0};
    while (::poll(&entry, 1, 0) > 0 && (entry.revents & POLLIN) != 0) {
      const auto n = ::read(read.get(), buffer.data(), buffer.size());
      if (n <= 0) break;
      text.append(buffer.data(), static_cast<std::size_t>(n));
    }
    return text;
  }
};

TEST_F(SinkTest, WritesToAPipe) {
  const Pipe pipe;
  FdSink sink(pipe.write.get(), milliseconds(100));
  const std::string longest(kMaxLine - 1, 'x');
  EXPECT_TRUE(sink.write(std::string("one\n")));
  EXPECT_TRUE(sink.write(longest + "\n"));
  EXPECT_EQ(pipe.drain(), "one\n" + longest + "\n");
}

TEST_F(SinkTest, DropsALineThatAFullPipeDoesNotTake) {
  const Pipe pipe;
  pipe.fill();
  FdSink sink(pipe.write.get(), milliseconds(10));
  EXPECT_FALSE(sink.write(std::string("lost\n")));
  const std::string filled = pipe.drain();
  EXPECT_EQ(filled.find("lost"), std::string::npos);
  EXPECT_TRUE(sink.write(std::string("found\n")));
  EXPECT_EQ(pipe.drain(), "found\n");
}

TEST_F(SinkTest, WaitsForAReaderWithinItsPatience) {
  const Pipe pipe;
  pipe.fill();
  FdSink sink(pipe.write.get(), std::chrono::seconds(60));
  std::thread reader([&pipe] {
    std::this_thread::sleep_for(milliseconds(20));
    std::array<char, 65536> buffer;
    EXPECT_GT(::read(pipe.read.get(), buffer.data(), buffer.size()), 0);
  });
  EXPECT_TRUE(sink.write(std::string("waited\n")));
  reader.join();
}

TEST_F(SinkTest, LeavesTheFlagsOfASharedPipeAlone) {
  const Pipe pipe;
  const int before = ::fcntl(pipe.write.get(), F_GETFL);
  FdSink sink(pipe.write.get(), milliseconds(10));
  sink.write(std::string("x\n"));
  EXPECT_EQ(::fcntl(pipe.write.get(), F_GETFL), before);
  EXPECT_EQ(before & O_NONBLOCK, 0);
}

// A workload that writes into the same pipe may take the room that poll() saw. A write of ours that
// then blocked would come back when the reader does: with a stuck log driver, never.
TEST_F(SinkTest, DoesNotBlockWhereTheRoomIsGoneAgain) {
  const Pipe pipe;
  FdSink sink(pipe.write.get(), milliseconds(10));
  pipe.fill();
  see_room_once = true;
  EXPECT_FALSE(sink.write(std::string("lost\n")));
  EXPECT_FALSE(see_room_once) << "ppoll() was not asked";
  EXPECT_EQ(pipe.drain().find("lost"), std::string::npos);
}

TEST_F(SinkTest, CopesWithADescriptorThatSomeoneMadeNonBlocking) {
  const Pipe pipe;
  ::fcntl(pipe.write.get(), F_SETFL, O_NONBLOCK);
  FdSink sink(pipe.write.get(), milliseconds(10));
  EXPECT_TRUE(sink.write(std::string("x\n")));
  pipe.fill();
  EXPECT_FALSE(sink.write(std::string("y\n")));
}

TEST_F(SinkTest, DropsWhereTheReaderIsGone) {
  Pipe pipe;
  FdSink sink(pipe.write.get(), milliseconds(10));
  pipe.read.reset();
  EXPECT_FALSE(sink.write(std::string("x\n")));
}

TEST_F(SinkTest, DropsWhereTheDescriptorIsClosed) {
  FdSink sink(-1, milliseconds(10));
  EXPECT_FALSE(sink.write(std::string("x\n")));
}

std::atomic<int> interruptions = 0;

TEST_F(SinkTest, GoesOnAfterASignal) {
  const Pipe pipe;
  pipe.fill();
  interruptions = 0;
  struct sigaction action {};
  action.sa_handler = [](int) { ++interruptions; };
  struct sigaction old {};
  ::sigaction(SIGUSR1, &action, &old);  // without SA_RESTART
  const pthread_t self = ::pthread_self();
  FdSink sink(pipe.write.get(), std::chrono::seconds(60));
  std::thread sender([&] {
    for (int i = 0; i < 5; ++i) {
      std::this_thread::sleep_for(milliseconds(5));
      ::pthread_kill(self, SIGUSR1);
    }
    EXPECT_FALSE(pipe.drain().empty());
  });
  EXPECT_TRUE(sink.write(std::string("x\n")));
  sender.join();
  EXPECT_GT(interruptions, 0);
  ::sigaction(SIGUSR1, &old, nullptr);
}

TEST_F(SinkTest, FileAppendsAndIsMadeAtOnce) {
  test::FixtureTree tree;
  const std::string path = tree.path() + "/out.jsonl";
  {
    auto sink = FileSink::open(path);
    ASSERT_TRUE(sink) << sink.error().line();
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777 & ~0644U, 0u);
    EXPECT_TRUE(sink->write(std::string("one\n")));
  }
  auto sink = FileSink::open(path);
  auto moved = std::move(*sink);
  EXPECT_TRUE(moved.write(std::string("two\n")));
  EXPECT_EQ(*read_file(path), "one\ntwo\n");
}

TEST_F(SinkTest, FileSaysWhyItCannotBeOpened) {
  test::FixtureTree tree;
  const auto missing = FileSink::open(tree.path() + "/no/such/out.jsonl");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().line().find("/no/such/out.jsonl"), std::string::npos);
  EXPECT_EQ(missing.error().errnum, ENOENT);
  const auto folder = FileSink::open(tree.path());
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().errnum, EISDIR);
}

TEST_F(SinkTest, NamedPipeWithoutAReaderIsAnErrorNotAWait) {
  test::FixtureTree tree;
  const std::string path = tree.path() + "/fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const auto sink = FileSink::open(path);
  ASSERT_FALSE(sink);
  EXPECT_EQ(sink.error().errnum, ENXIO);
}

// A full disk, made by a limit on the size of files: part of a line may get into the file, and
// the next line must not continue it.
TEST_F(SinkTest, StartsANewLineAfterOneThatWasTorn) {
  test::FixtureTree tree;
  const std::string path = tree.path() + "/out.jsonl";
  auto sink = FileSink::open(path);
  ASSERT_TRUE(sink);
  ASSERT_TRUE(sink->write(std::string("whole\n")));
  rlimit old{};
  ::getrlimit(RLIMIT_FSIZE, &old);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit tight{.rlim_cur = 10, .rlim_max = old.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &tight);
  const bool first = sink->write(std::string("torn apart\n"));
  const bool second = sink->write(std::string("nothing\n"));
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_FALSE(first);
  EXPECT_FALSE(second);
  EXPECT_TRUE(sink->write(std::string("whole again\n")));
  EXPECT_TRUE(sink->write(std::string("and on\n")));
  EXPECT_EQ(*read_file(path), "whole\ntorn\nwhole again\nand on\n");
}

TEST_F(SinkTest, StdoutIsADash) {
  const Pipe pipe;
  const int saved = ::dup(STDOUT_FILENO);
  ::dup2(pipe.write.get(), STDOUT_FILENO);
  auto sink = FileSink::open("-");
  ::dup2(saved, STDOUT_FILENO);
  ::close(saved);
  ASSERT_TRUE(sink);
  EXPECT_TRUE(sink->write(std::string("to stdout\n")));
  EXPECT_EQ(pipe.drain(), "to stdout\n");
}

}  // namespace
}  // namespace oomdrill::telemetry
