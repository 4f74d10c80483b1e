#include "loop.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <csignal>

namespace oomdrill::probe {

timespec until(Nanoseconds deadline, const Clock& clock) {
  const Nanoseconds left = std::max(deadline - clock.now(), Nanoseconds::zero());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
  return {.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
}

LoopEnd run_loop(Monitor& monitor, Supervisor* supervisor, const Source& source,
                 PressureTrigger& pressure, const SignalInbox& signals, Exporter& exporter,
                 const Clock& clock) {
  for (;;) {
    Nanoseconds deadline = monitor.deadline();
    if (const auto kill = supervisor ? supervisor->deadline() : std::nullopt) {
      deadline = std::min(deadline, *kill);
    }
    // A removed cgroup is always ready: it must not be waited for. poll() skips a negative fd.
    std::array<pollfd, 5> waiting = {
        pollfd{.fd = signals.fd(), .events = POLLIN, .revents = 0},
        pollfd{.fd = monitor.blind() ? -1 : source.events_fd(), .events = POLLPRI, .revents = 0},
        pollfd{.fd = exporter.listener(), .events = POLLIN, .revents = 0},
        pollfd{.fd = exporter.client(), .events = POLLIN, .revents = 0},
        pollfd{.fd = pressure.fd(), .events = POLLPRI, .revents = 0}};
    const timespec timeout = until(deadline, clock);
    const int ready = ::ppoll(waiting.data(), waiting.size(), &timeout, nullptr);

    bool child_ended = false;
    if (ready > 0 && (waiting[0].revents & POLLIN) != 0) {
      for (Signal signal = signals.next(); signal.number != 0; signal = signals.next()) {
        if (signal.number == SIGCHLD) {
          child_ended = true;
        } else if (supervisor != nullptr) {
          const bool asked = supervisor->stop_requested();
          supervisor->forward(signal);
          if (!asked && supervisor->stop_requested()) monitor.workload_stopping(signal.number);
        } else {
          return {std::nullopt, "signal"};
        }
      }
    }
    if (ready > 0 && (waiting[1].revents & (POLLPRI | POLLERR)) != 0) monitor.wake();
    if (ready > 0 && waiting[4].revents != 0) {
      if ((waiting[4].revents & POLLERR) != 0) {
        pressure.close();
      } else {
        monitor.pressed();
      }
    }
    if (child_ended && supervisor != nullptr) {
      if (const auto judgement = monitor.reaped(supervisor->reap())) {
        return {judgement, "workload_exited"};
      }
    }
    if (supervisor != nullptr) supervisor->tick();
    monitor.tick();
    if (ready > 0 && waiting[3].revents != 0) exporter.drain();
    if (ready > 0 && waiting[2].revents != 0) exporter.serve(monitor);
    exporter.refresh(monitor, clock.now());
    if (supervisor == nullptr && monitor.subject_gone()) return {std::nullopt, "cgroup_removed"};
  }
}

}  // namespace oomdrill::probe
