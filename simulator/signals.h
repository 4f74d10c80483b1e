#pragma once

#include <csignal>

#include "base/clock.h"

namespace oomdrill::simulator {

/// SIGTERM and SIGINT are noted in what is returned; one more than a second later exits at once,
/// for a process that hangs. SIGCHLD and SIGWINCH only end a sleep. SIGPIPE is ignored.
const volatile std::sig_atomic_t& catch_signals();

/// The system's clock, for a process that catches signals: one that comes between the last look
/// at `stop` and the sleep ends the sleep too.
class SignalClock final : public Clock {
 public:
  explicit SignalClock(const volatile std::sig_atomic_t& stop) : stop_(&stop) {}
  [[nodiscard]] Nanoseconds now() const override { return clock_.now(); }
  [[nodiscard]] WallTime wall() const override { return clock_.wall(); }
  void sleep_until(Nanoseconds deadline) override;

 private:
  const volatile std::sig_atomic_t* stop_;
  SystemClock clock_;
};

}  // namespace oomdrill::simulator
