#include "signals.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <ctime>

namespace oomdrill::simulator {
namespace {

constexpr std::array kEndSleep = {SIGTERM, SIGINT, SIGCHLD, SIGWINCH};

/// timeout(1) signals its child and then the child's group: what comes so soon is the same wish.
constexpr std::int64_t kSameWishMs = 1000;

volatile std::sig_atomic_t caught = 0;
std::atomic<std::int64_t> caught_at_ms = 0;
static_assert(std::atomic<std::int64_t>::is_always_lock_free);

std::int64_t now_ms() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * std::int64_t{1000} + time.tv_nsec / 1'000'000;
}

void note(int signal) {
  if (caught == 0) {
    caught_at_ms = now_ms();
    caught = signal;
  } else if (now_ms() - caught_at_ms > kSameWishMs) {
    ::_exit(128 + signal);
  }
}

void wake(int) {}

sigset_t all_that_end_a_sleep() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : kEndSleep) sigaddset(&set, signal);
  return set;
}

}  // namespace

const volatile std::sig_atomic_t& catch_signals() {
  struct sigaction action {};
  action.sa_handler = note;  // without SA_RESTART: a sleep ends early
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  action.sa_handler = wake;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGCHLD, &action, nullptr);
  ::sigaction(SIGWINCH, &action, nullptr);
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, nullptr);
  // A parent may have left them blocked.
  const sigset_t set = all_that_end_a_sleep();
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
  return caught;
}

void SignalClock::sleep_until(Nanoseconds deadline) {
  // Blocked from the look to the sleep, which lets them in: nothing falls between the two.
  const sigset_t set = all_that_end_a_sleep();
  sigset_t before;
  ::sigprocmask(SIG_BLOCK, &set, &before);
  const Nanoseconds left = deadline - now();
  if (*stop_ == 0 && left > Nanoseconds(0)) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
    const timespec time{.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
    ::ppoll(nullptr, 0, &time, &before);
  }
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace oomdrill::simulator
