// From an OOM kill to the complete line that tells it: oomprobe's, and Docker's event of the same
// kill. Static, and run by bench/probe/run in a container with a limit:
//   latency measure PROBE CONTAINER ROUNDS CASE   prints "who<TAB>kills missed<TAB>milliseconds…"
//   latency victim BYTES_PER_S                    fills memory until it is killed (0: at once)
//   latency parent BYTES_PER_S                    a victim for each line of standard input
// The kill's time is the kernel's own: the record "Killed process" of /dev/kmsg, which it writes
// right after it has sent the SIGKILL. Records carry the kernel's scheduler clock; marks that are
// written around each kill, one a second at most, tell how far that is from CLOCK_MONOTONIC. A
// line's time is CLOCK_MONOTONIC after the read() that brought its end.
#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/units.h"

namespace {

using namespace oomdrill;
using std::chrono::milliseconds;

constexpr const char* kVictim = "oom-bench-prey";  // as the kernel's log names it
constexpr Nanoseconds kPatience = std::chrono::seconds(60);
constexpr Nanoseconds kDockerPatience = std::chrono::seconds(5);

const SystemClock kClock;

[[noreturn]] void die(std::string_view what) {
  fmt::print(stderr, "latency: {}: {}\n", what, std::strerror(errno));
  std::exit(69);
}

int victim(std::uint64_t rate) {
  ::prctl(PR_SET_NAME, kVictim);
  (void)write_file("/proc/self/oom_score_adj", "1000");
  constexpr std::size_t kChunk = 1 << 20;
  for (;;) {
    auto* block = static_cast<volatile char*>(
        ::mmap(nullptr, kChunk, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    for (std::size_t i = 0; i < kChunk; i += 4096) block[i] = 1;
    if (rate > 0)
      std::this_thread::sleep_for(std::chrono::nanoseconds(kChunk * 1'000'000'000 / rate));
  }
}

int parent(char* self, char* rate) {
  for (char c = 0; ::read(STDIN_FILENO, &c, 1) == 1;) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      char mode[] = "victim";
      char* argv[] = {self, mode, rate, nullptr};
      ::execv(self, argv);
      ::_exit(127);
    }
    ::waitpid(pid, nullptr, 0);
  }
  return 0;
}

class KernelLog {
 public:
  KernelLog() : fd_(::open("/dev/kmsg", O_RDWR | O_NONBLOCK | O_CLOEXEC)) {
    if (!fd_) die("/dev/kmsg (docker run --device /dev/kmsg --cap-add SYSLOG)");
    ::lseek(fd_.get(), 0, SEEK_END);
  }
  [[nodiscard]] int fd() const { return fd_.get(); }

  /// CLOCK_MONOTONIC less the log's clock, and how sure that is.
  struct Offset {
    Nanoseconds value{}, width{};
  };
  Offset compare() {
    // The kernel takes ten records in five seconds from a writer, and drops the others.
    if (marks_ > 0 && kClock.now() - compared_at_ < std::chrono::seconds(1)) return compared_;
    const std::string mark = fmt::format("oomdrill latency mark {}", ++marks_);
    // Without its newline the kernel would wait for the rest of the line, and show it to nobody.
    const std::string line = mark + "\n";
    const Nanoseconds before = kClock.now();
    if (::write(fd_.get(), line.data(), line.size()) < 0) die("write to /dev/kmsg");
    const Nanoseconds after = kClock.now();
    const Nanoseconds deadline = after + kPatience;
    while (kClock.now() < deadline) {
      const auto record = next();
      if (record && record->text.find(mark) != std::string::npos) {
        compared_ = {(before + after) / 2 - record->time, after - before};
        compared_at_ = after;
        return compared_;
      }
    }
    die("no mark in /dev/kmsg");
  }
  /// The log's time of the kill of a victim, once it stands there.
  std::optional<Nanoseconds> kill() {
    while (const auto record = next()) {
      if (record->text.find("Killed process") != std::string::npos &&
          record->text.find(kVictim) != std::string::npos) {
        return record->time;
      }
    }
    return std::nullopt;
  }

 private:
  struct Record {
    Nanoseconds time{};
    std::string text;
  };
  std::optional<Record> next() {
    std::array<char, 8192> buffer;
    ssize_t n = 0;
    do {
      n = ::read(fd_.get(), buffer.data(), buffer.size());
    } while (n < 0 && errno == EPIPE);  // records were overwritten before they were read
    if (n <= 0) return std::nullopt;
    // "6,339,5140900,-;text": priority, number, microseconds
    Record record;
    record.text.assign(buffer.data(), static_cast<std::size_t>(n));
    std::size_t at = record.text.find(',');
    at = record.text.find(',', at + 1);
    record.time =
        std::chrono::microseconds(std::strtoll(record.text.c_str() + at + 1, nullptr, 10));
    return record;
  }
  Fd fd_;
  int marks_ = 0;
  Offset compared_;
  Nanoseconds compared_at_{};
};

/// Lines from a descriptor, each with the time at which it was complete.
class Lines {
 public:
  explicit Lines(Fd fd) : fd_(std::move(fd)) {}
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// False at the end. `take` is called with each line and its time.
  template <class Take>
  bool read(Take take) {
    std::array<char, 65536> buffer;
    const auto n = ::read(fd_.get(), buffer.data(), buffer.size());
    const Nanoseconds now = kClock.now();
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (n <= 0) return false;
    text_.append(buffer.data(), static_cast<std::size_t>(n));
    for (auto end = text_.find('\n'); end != std::string::npos; end = text_.find('\n')) {
      take(std::string_view(text_).substr(0, end), now);
      text_.erase(0, end + 1);
    }
    return true;
  }

 private:
  Fd fd_;
  std::string text_;
};

/// The engine's stream of events of one container, as `docker events` gets it.
Fd docker_events(const std::string& container) {
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::string_view("/docker.sock").copy(address.sun_path, sizeof address.sun_path - 1);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    die("/docker.sock");
  }
  const std::string request = fmt::format(
      "GET /events?filters=%7B%22event%22%3A%5B%22oom%22%5D%2C%22container%22%3A%5B%22{}%22%5D%7D "
      "HTTP/1.0\r\n\r\n",
      container);
  if (::write(fd.get(), request.data(), request.size()) < 0) die("/docker.sock");
  return fd;
}

struct Probe {
  pid_t pid = -1;
  Fd in, out;
  Probe(const std::string& program, const std::vector<std::string>& arguments) {
    int in_ends[2], out_ends[2];
    if (::pipe2(in_ends, O_CLOEXEC) != 0 || ::pipe2(out_ends, O_CLOEXEC) != 0) die("pipe");
    std::vector<std::string> words = {program};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid = ::fork();
    if (pid == 0) {
      ::dup2(in_ends[0], STDIN_FILENO);
      ::dup2(out_ends[1], STDOUT_FILENO);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    ::close(in_ends[0]);
    ::close(out_ends[1]);
    in = Fd(in_ends[1]);
    out = Fd(out_ends[0]);
  }
};

class Column {
 public:
  explicit Column(std::string name) : name_(std::move(name)) {}
  void add(Nanoseconds time) { values_.push_back(time); }
  void miss() { ++missed_; }
  void print() const {
    fmt::print("{}\t{}\t", name_, missed_);
    for (const Nanoseconds value : values_) fmt::print("{:.3f} ", to_seconds(value) * 1e3);
    fmt::print("\n");
  }

 private:
  std::string name_;
  std::vector<Nanoseconds> values_;
  int missed_ = 0;
};

/// How the probe gets to know of the victims.
struct Case {
  const char* name;
  bool child;  ///< the workload itself is killed, so that each round has a probe of its own
  bool watch;  ///< the victims are no descendants of the probe
  const char* rate;
};
constexpr Case kCases[] = {
    {"child", true, false, "0"},
    {"grandchild", false, false, "0"},
    {"leak", false, false, "48000000"},
    {"watch", false, true, "0"},
};

int measure(const std::string& self, const std::string& program, const std::string& container,
            int rounds, const Case& what) {
  KernelLog log;
  Lines docker(docker_events(container));
  Column kill_line("memory.oom_kill"), exit_line("workload.exited");
  Column docker_line("docker events"), certainty("certainty");
  std::mt19937 random(4);

  const auto start = [&] {
    if (what.watch) return Probe(program, {"watch", "--format", "json"});
    return Probe(program, {"run", "--format", "json", "--", self, what.child ? "victim" : "parent",
                           what.rate});
  };
  std::optional<Probe> probe;
  std::optional<Probe> feeder;  // of the victims that the probe did not start
  std::optional<Lines> lines;
  if (what.watch) feeder.emplace(self, std::vector<std::string>{"parent", what.rate});

  for (int round = 0; round < rounds; ++round) {
    const auto before = log.compare();
    if (!probe || what.child) {
      probe.emplace(start());
      lines.emplace(std::move(probe->out));
      if (!what.child) std::this_thread::sleep_for(std::chrono::seconds(1));
    }
    if (!what.child && ::write(feeder ? feeder->in.get() : probe->in.get(), "\n", 1) != 1) {
      die("the victims' parent is gone");
    }
    std::optional<Nanoseconds> killed, told, exited, by_docker;
    Nanoseconds deadline = kClock.now() + kPatience;
    bool waiting = true, open = true;
    while (waiting && kClock.now() < deadline) {
      std::array<pollfd, 3> fds = {pollfd{log.fd(), POLLIN, 0}, pollfd{docker.fd(), POLLIN, 0},
                                   pollfd{open ? lines->fd() : -1, POLLIN, 0}};
      ::poll(fds.data(), fds.size(), 50);
      if (fds[2].revents != 0) {
        open = lines->read([&](std::string_view line, Nanoseconds at) {
          if (line.find("\"memory.oom_kill\"") != line.npos && !told) told = at;
          if (line.find("\"workload.exited\"") != line.npos) exited = at;
        });
      }
      if (fds[1].revents != 0 && !docker.read([&](std::string_view line, Nanoseconds at) {
            if (line.find("\"oom\"") != line.npos && !by_docker) by_docker = at;
          })) {
        die("the engine ended its stream of events");
      }
      if (fds[0].revents != 0 && !killed) killed = log.kill();
      const bool all = killed && told && (exited || !what.child);
      // The engine may never tell: it is not waited for as long as the rest.
      if (all) deadline = std::min(deadline, *killed + before.value + kDockerPatience);
      waiting = !all || !by_docker;
    }
    const auto after = log.compare();
    certainty.add(std::max(before.width, after.width));
    if (!killed || !told) {
      if (!told) kill_line.miss();
      if (what.child && !exited) exit_line.miss();
      continue;
    }
    const Nanoseconds at = *killed + (before.value + after.value) / 2;
    kill_line.add(*told - at);
    if (what.child) exited ? exit_line.add(*exited - at) : exit_line.miss();
    by_docker ? docker_line.add(*by_docker - at) : docker_line.miss();
    if (what.child) ::waitpid(probe->pid, nullptr, 0);
    // Not in step with the probe's looks.
    std::this_thread::sleep_for(milliseconds(random() % 1000));
  }
  if (!what.child) {
    for (auto* each : {&probe, &feeder}) {
      if (!*each) continue;
      (*each)->in.reset();
      ::kill((*each)->pid, SIGTERM);
      ::waitpid((*each)->pid, nullptr, 0);
    }
  }
  certainty.print();
  kill_line.print();
  if (what.child) exit_line.print();
  docker_line.print();
  std::fflush(stdout);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "victim" && argc == 3) return victim(std::strtoull(argv[2], nullptr, 10));
  if (mode == "parent" && argc == 3) return parent(argv[0], argv[2]);
  if (mode == "measure" && argc == 6) {
    ::signal(SIGPIPE, SIG_IGN);
    for (const Case& each : kCases) {
      if (each.name == std::string_view(argv[5])) {
        return measure(argv[0], argv[2], argv[3], std::max(1, std::atoi(argv[4])), each);
      }
    }
  }
  fmt::print(stderr, "usage: see bench/probe/run\n");
  return 64;
}
