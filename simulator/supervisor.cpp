#include "supervisor.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string>

#include "exit_codes.h"

namespace oomdrill::simulator {
namespace {

/// Between two looks at the usage where no child ends.
constexpr Nanoseconds kLookEvery = std::chrono::milliseconds(20);
/// Of the live line.
constexpr Nanoseconds kShowEvery = std::chrono::milliseconds(200);

/// What this process may weigh, and more: its share of the limit is added to the children's
/// scores. All of the range would make them the victims of whoever grows under the same limit.
constexpr std::uint64_t kWeight = 8 << 20;

void raise_own_oom_score(const FileRoot& root, std::optional<std::uint64_t> limit) {
  const std::string path = root / "/proc/self/oom_score_adj";
  const auto text = read_file(path);
  if (!text) return;
  int score = 0;
  std::from_chars(text->data(), text->data() + text->size(), score);
  const std::uint64_t part = limit && *limit > 0 ? kWeight * 1000 / *limit : 1;
  score += static_cast<int>(std::clamp<std::uint64_t>(part, 1, 1000));
  // Where it cannot be raised the kernel still takes the larger process, and that is the child.
  static_cast<void>(write_file(path, std::to_string(std::min(score, 1000))));
}

}  // namespace

Supervisor::Supervisor(Parts parts, std::uint64_t workers, std::uint64_t restarts,
                       std::function<int(const Worker&)> work)
    : parts_(std::move(parts)), workers_(workers), restarts_(restarts), work_(std::move(work)) {
  children_.reserve(workers_);
}

Result<Ending> Supervisor::run() {
  kills_before_ = parts_.container.oom_kills();
  ending_.limit = parts_.container.limit();
  begin_ = parts_.clock.now();
  Result<void> status;
  for (std::uint64_t number = 1; number <= workers_ && status; ++number) {
    status = start({number, 0});
  }
  bool forwarded = false;
  while (!children_.empty()) {
    if ((parts_.stop != 0 || !status) && !forwarded) {
      forwarded = true;
      for (const Child& child : children_) {
        ::kill(child.pid, parts_.stop != 0 ? parts_.stop : SIGTERM);
      }
    }
    // First: what was used when it was last looked at is told of a kill, not what is left after it.
    reap();
    look();
    // A wait ends with SIGCHLD. After a signal of our own sleeps are refused: the children are
    // few, and about to end.
    if (!children_.empty() && parts_.stop != 0) ::usleep(1000);
    if (!children_.empty()) {
      const Nanoseconds next =
          parts_.report.live() ? std::min(curve_.next(), next_line_) : curve_.next();
      parts_.clock.sleep_until(begin_ + std::max(next, elapsed_ + kLookEvery));
    }
  }
  if (!status) return fail(status.error());
  const auto kills = parts_.container.oom_kills();
  if (kills && kills_before_) ending_.other_oom_kills = *kills - *kills_before_ - claimed_;
  ending_.late_growth = curve_.late_growth();
  ending_.peak = curve_.peak();
  return ending_;
}

void Supervisor::look() {
  elapsed_ = parts_.clock.now() - begin_;
  if (!parts_.container.refresh()) return;
  curve_.add(elapsed_, parts_.container.used());
  if (elapsed_ < next_line_ && !parts_.report.resized()) return;
  next_line_ = elapsed_ + kShowEvery;
  trend_.add({.due = elapsed_, .elapsed = elapsed_, .used = parts_.container.used()});
  parts_.report.together(parts_.what, state());
}

State Supervisor::state() const {
  const auto growth = trend_.growth();
  return {.elapsed = elapsed_,
          .used = parts_.container.used(),
          .limit = parts_.container.limit(),
          .requested_rate = parts_.rate,
          .achieved_rate = growth && *growth > 0 ? growth : std::nullopt,
          .growth = growth};
}

Result<void> Supervisor::start(const Worker& worker) {
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("cannot make a process", "--workers", "see ulimit -u, pids.max");
  if (pid == 0) {
    // In a group of its own, so that Ctrl-C comes once, from the parent.
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(kOrphaned);
    raise_own_oom_score(parts_.root, ending_.limit);
    ::_exit(work_(worker));
  }
  ::setpgid(pid, pid);
  children_.push_back({pid, worker});
  return {};
}

void Supervisor::reap() {
  for (;;) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid < 0 && errno == EINTR) continue;
    if (pid <= 0) return;
    const auto it = std::find_if(children_.begin(), children_.end(),
                                 [pid](const Child& child) { return child.pid == pid; });
    if (it == children_.end()) continue;  // as PID 1: another's orphan
    const Child child = *it;
    children_.erase(it);
    note_end(child, status);
  }
}

void Supervisor::note_end(const Child& child, int status) {
  trend_ = {};  // what it gave back is no slower growth of the others
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
    note_kill(child);
    return;
  }
  const int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  if (code != 0 && ending_.failure == 0) ending_.failure = code;
}

void Supervisor::note_kill(const Child& child) {
  // The kernel counts before it kills (facts.md, 2): read now, the counter has it.
  const auto kills = parts_.container.oom_kills();
  std::optional<bool> oom;
  if (kills && kills_before_) oom = *kills - *kills_before_ > claimed_;
  parts_.report.worker_killed({.number = child.worker.number,
                               .restart = child.worker.restart,
                               .pid = child.pid,
                               .oom = oom,
                               .kills = kills,
                               .used = parts_.container.used(),
                               .limit = parts_.container.limit()});
  if (oom.value_or(false)) {
    ++claimed_;
    if (restarted_ < restarts_ && parts_.stop == 0) {
      ++restarted_;
      ++ending_.oom_kills;
      if (start({child.worker.number, child.worker.restart + 1})) return;
    } else {
      ++ending_.oom_kills;
    }
  } else if (oom) {
    ++ending_.killed;
  } else {
    ++ending_.unknown_kills;
  }
  if (ending_.failure == 0) ending_.failure = 128 + SIGKILL;
}

}  // namespace oomdrill::simulator
