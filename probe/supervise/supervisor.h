#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "supervise/child.h"
#include "supervise/process_name.h"

namespace oomdrill::probe {

/// What one SIGCHLD brought.
struct Reaped {
  bool main_ended = false;
  int main_status = 0;
  /// The main one's RLIMIT_AS; nullopt: none, or it may not be asked for.
  std::optional<std::uint64_t> main_vm_limit = {};
  /// The first children other than the main one that died by SIGKILL.
  struct Killed {
    pid_t pid = 0;
    ProcessName name;
  };
  std::array<Killed, 4> others_killed = {};
  std::size_t others_killed_size = 0;
};

/// A signal that the workload was sent through the probe.
struct SentSignal {
  int number = 0;
  Nanoseconds at{};  ///< of the first one
};

/// The workload as the monitor asks for it.
class Workload {
 public:
  virtual ~Workload() = default;
  [[nodiscard]] virtual pid_t pid() const = 0;
  /// Its name at the last call of is_dying() or reap(); of the command where /proc tells none.
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// Whether a SIGKILL has reached it, though it cannot be waited for yet.
  [[nodiscard]] virtual bool is_dying() = 0;
  [[nodiscard]] virtual bool stop_requested() const = 0;
  [[nodiscard]] virtual bool killed_by_us() const = 0;
  /// The first of each kind, in order.
  [[nodiscard]] virtual std::span<const SentSignal> signals() const = 0;
};

/// The duties towards a running child: forwards, reaps, and kills what does not stop. No step
/// allocates.
class Supervisor final : public Workload {
 public:
  struct Settings {
    bool signal_group = false;
    std::optional<Nanoseconds> kill_after;
  };

  Supervisor(Child child, std::string_view command, Settings settings, const FileRoot& root,
             const Clock& clock);

  void forward(Signal signal);
  /// Every child that has ended, so that none stays a zombie.
  Reaped reap();
  /// Sends the SIGKILL that is due.
  void tick();
  /// When tick() has something to do; nullopt: never as things stand.
  [[nodiscard]] std::optional<Nanoseconds> deadline() const;

  [[nodiscard]] pid_t pid() const override { return child_.pid; }
  [[nodiscard]] std::string_view name() const override { return name_.view(); }
  [[nodiscard]] bool is_dying() override;
  [[nodiscard]] bool stop_requested() const override { return stop_requested_; }
  [[nodiscard]] bool killed_by_us() const override { return killed_by_us_; }
  [[nodiscard]] std::span<const SentSignal> signals() const override {
    return {sent_.data(), sent_size_};
  }

 private:
  void send(int signal);

  Child child_;
  ProcessName name_;
  Settings settings_;
  Fd proc_;
  const Clock* clock_;
  std::optional<Nanoseconds> kill_at_;
  bool ended_ = false;
  bool stop_requested_ = false;
  bool killed_by_us_ = false;
  std::array<SentSignal, 8> sent_;
  std::size_t sent_size_ = 0;
};

}  // namespace oomdrill::probe
