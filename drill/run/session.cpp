#include "run/session.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "base/clock.h"
#include "base/file.h"
#include "run/process.h"

namespace oomdrill::run {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kTick = milliseconds(100);
/// From SIGTERM to SIGKILL; docker and ECS give 10 and 30 seconds.
constexpr auto kGrace = seconds(10);
/// A second signal sooner than this is the same wish once more: timeout(1) signals its child and
/// then the whole group.
constexpr auto kSameWish = seconds(1);
/// For output that is still in the pipe when its writers are dead.
constexpr auto kDrain = seconds(5);
/// A workload may write without ever ending a line.
constexpr std::size_t kLongestErrorLine = 64 << 10;

/// Async-signal-safe. Lowering it needs CAP_SYS_RESOURCE: without, it stays as it is.
void set_own_score(std::string_view score) {
  const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  [[maybe_unused]] const auto n = ::write(fd, score.data(), score.size());
  ::close(fd);
}

class Runner {
 public:
  Runner(const Session& session, Room& room, const Signals& signals, Child child)
      : session_(session),
        room_(room),
        signals_(signals),
        child_(std::move(child)),
        deadline_(clock_.now() + session.timeout) {}

  Outside run(Outside outside) {
    outside_ = std::move(outside);
    while (!outside_.status) {
      wait_once();
      take_signals();
      enforce();
      // A systemd scope comes into being only as it starts.
      if (!outside_.before && room_.is_cheap()) look(outside_.before);
      if (clock_.now() >= next_tick_) {
        next_tick_ = clock_.now() + kTick;
        if (session_.on_tick) session_.on_tick();
      }
    }
    // Before anything else in the room is killed: the counters must be the workload's alone.
    look(outside_.after);
    room_.kill_all();
    const Nanoseconds until = clock_.now() + kDrain;
    while ((child_.out || child_.err) && clock_.now() < until) wait_once();
    if (!error_line_.empty()) flush_error("\n");
    return std::move(outside_);
  }

 private:
  void look(std::optional<Observation>& into) {
    if (auto seen = room_.observe()) into = *seen;
  }

  void wait_once() {
    const Nanoseconds wake = std::min(next_tick_, clock_.now() + kTick);
    const auto left = std::chrono::ceil<milliseconds>(wake - clock_.now());
    std::array<pollfd, 4> fds = {pollfd{child_.out.get(), POLLIN, 0},
                                 pollfd{child_.err.get(), POLLIN, 0},
                                 pollfd{signals_.fd(), POLLIN, 0},
                                 pollfd{outside_.status ? -1 : room_.events_fd(), POLLPRI, 0}};
    const int n =
        ::poll(fds.data(), fds.size(), static_cast<int>(std::max<std::int64_t>(0, left.count())));
    if (n <= 0) return;
    if (fds[0].revents != 0)
      pump(child_.out, [this](std::string_view text) {
        if (session_.on_output) session_.on_output(text);
      });
    if (fds[1].revents != 0) pump(child_.err, [this](std::string_view text) { take_error(text); });
    // Reading the counters also re-arms the poll, and an engine's last word is kept.
    if ((fds[3].revents & POLLPRI) != 0) look(outside_.after);
  }

  template <class Take>
  void pump(Fd& fd, Take take) {
    const auto n = ::read(fd.get(), buffer_.data(), buffer_.size());
    if (n > 0) {
      take(std::string_view(buffer_.data(), static_cast<std::size_t>(n)));
    } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
      fd.reset();
    }
  }

  void take_error(std::string_view text) {
    while (!text.empty()) {
      const auto newline = text.find('\n');
      error_line_.append(text.substr(0, newline));
      if (newline == std::string_view::npos) break;
      flush_error("\n");
      text.remove_prefix(newline + 1);
    }
    if (error_line_.size() > kLongestErrorLine) flush_error("");
  }

  void flush_error(std::string_view end) {
    error_line_ += end;
    if (session_.on_error_line) session_.on_error_line(error_line_);
    error_line_.clear();
  }

  void take_signals() {
    for (int signal = signals_.next(); signal != 0; signal = signals_.next()) {
      if (signal == SIGCHLD) continue;
      if (outside_.signal.empty()) {
        outside_.signal = std::string("SIG") + ::sigabbrev_np(signal);
        stop();
      } else if (clock_.now() - stopped_at_ >= kSameWish) {
        kill_after_ = clock_.now();
      }
    }
    int status = 0;
    if (::waitpid(child_.pid, &status, WNOHANG) == child_.pid) {
      outside_.status = status;
      outside_.ended = clock_.wall();
    }
  }

  void enforce() {
    if (outside_.status) return;
    const Nanoseconds now = clock_.now();
    if (!stopping_ && now >= deadline_) {
      outside_.timed_out = true;
      stop();
    }
    if (stopping_ && now >= kill_after_) {
      room_.kill_all();
      ::kill(-child_.pid, SIGKILL);
      kill_after_ = now + kGrace;
    }
  }

  void stop() {
    if (stopping_) return;
    stopping_ = true;
    stopped_at_ = clock_.now();
    kill_after_ = stopped_at_ + kGrace;
    // The probe alone: it passes the signal on and knows then that it was asked for.
    ::kill(child_.pid, SIGTERM);
  }

  const Session& session_;
  Room& room_;
  const Signals& signals_;
  Child child_;
  SystemClock clock_;
  Nanoseconds deadline_;
  Nanoseconds next_tick_{0};
  Nanoseconds stopped_at_{0};
  Nanoseconds kill_after_{Nanoseconds::max()};
  bool stopping_ = false;
  Outside outside_;
  std::string error_line_;
  std::array<char, 64 << 10> buffer_{};
};

}  // namespace

Result<Signals> Signals::open() {
  Signals signals;
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGCHLD, SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  signals.fd_ = Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals.fd_) return fail_errno("cannot make a", "signalfd");
  ::sigprocmask(SIG_BLOCK, &set, &signals.old_);
  signals.active_ = true;
  return signals;
}

Signals::Signals(Signals&& other) noexcept
    : fd_(std::move(other.fd_)), old_(other.old_), active_(std::exchange(other.active_, false)) {}

Signals::~Signals() {
  if (!active_) return;
  while (next() != 0) {
  }
  ::sigprocmask(SIG_SETMASK, &old_, nullptr);
}

int Signals::next() const {
  signalfd_siginfo info{};
  return ::read(fd_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo)
                                                              : 0;
}

Result<Outside> run_session(const Session& session, Room& room, const Signals& signals) {
  Outside outside;
  if (room.is_cheap()) {
    if (auto before = room.observe()) outside.before = *before;
  }
  auto child = spawn(room.wrap(session.argv), [&session, &room] {
    if (session.shield) set_own_score("-1000");
    return room.enter();
  });
  if (!child) return fail(child.error());
  room.started(child->pid);
  return Runner(session, room, signals, std::move(*child)).run(std::move(outside));
}

}  // namespace oomdrill::run
