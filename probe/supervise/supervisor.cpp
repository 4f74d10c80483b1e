#include "supervise/supervisor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "supervise/process_stat.h"

namespace oomdrill::probe {
namespace {

/// Of a zombie that nothing is known of yet; in place.
ProcessName read_name(int proc, pid_t pid) {
  std::array<char, 32> path{};
  fmt::format_to_n(path.data(), path.size() - 1, "{}/comm", pid);
  const Fd fd(::openat(proc, path.data(), O_RDONLY | O_CLOEXEC));
  std::array<char, 64> text{};
  const auto n = pread_all(fd.get(), text);
  if (n <= 0) return {};
  const std::string_view line(text.data(), static_cast<std::size_t>(n));
  return ProcessName(line.substr(0, line.find('\n')));
}

std::string_view base_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace

Supervisor::Supervisor(Child child, std::string_view command, Settings settings,
                       const FileRoot& root, const Clock& clock)
    : child_(std::move(child)), name_(base_name(command)), settings_(settings), clock_(&clock) {
  if (auto proc = open_file(root / "/proc", O_PATH | O_DIRECTORY)) proc_ = std::move(*proc);
}

void Supervisor::send(int signal) {
  const bool known = std::any_of(sent_.begin(), sent_.begin() + sent_size_,
                                 [signal](const SentSignal& s) { return s.number == signal; });
  if (!known && sent_size_ < sent_.size()) sent_[sent_size_++] = {signal, clock_->now()};
  // Until it is reaped its pid is its own.
  if (!ended_) ::kill(settings_.signal_group ? -child_.pid : child_.pid, signal);
}

void Supervisor::forward(Signal signal) {
  if (is_stop_request(signal.number)) {
    stop_requested_ = true;
    if (settings_.kill_after && !kill_at_) kill_at_ = clock_->now() + *settings_.kill_after;
  }
  send(signal.number);
}

void Supervisor::tick() {
  if (!kill_at_ || killed_by_us_ || clock_->now() < *kill_at_) return;
  killed_by_us_ = true;
  send(SIGKILL);
}

std::optional<Nanoseconds> Supervisor::deadline() const {
  return killed_by_us_ ? std::nullopt : kill_at_;
}

bool Supervisor::is_dying() {
  std::array<char, 1024> text;
  const auto n = child_.stat ? pread_all(child_.stat.get(), text) : -1;
  if (n <= 0) return false;
  const auto stat = parse_process_stat(std::string_view(text.data(), static_cast<std::size_t>(n)));
  if (!stat) return false;
  name_ = ProcessName(stat->comm);
  return stat->dying;
}

Reaped Supervisor::reap() {
  Reaped reaped;
  for (;;) {
    // Looked at before it is reaped: a name is to be had from a zombie only.
    siginfo_t info{};
    const int looked = ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT);
    if (looked != 0 || info.si_pid == 0) return reaped;
    const pid_t pid = info.si_pid;
    const bool is_main = pid == child_.pid;
    if (is_main) {
      (void)is_dying();
      ended_ = true;
      rlimit limit{};
      if (::prlimit(pid, RLIMIT_AS, nullptr, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        reaped.main_vm_limit = limit.rlim_cur;
      }
    } else if (info.si_code == CLD_KILLED && info.si_status == SIGKILL &&
               reaped.others_killed_size < reaped.others_killed.size()) {
      reaped.others_killed[reaped.others_killed_size++] = {pid, read_name(proc_.get(), pid)};
    }
    int status = 0;
    if (::waitpid(pid, &status, WNOHANG) != pid) return reaped;
    if (is_main) {
      reaped.main_ended = true;
      reaped.main_status = status;
    }
  }
}

}  // namespace oomdrill::probe
