#pragma once

#include <sys/types.h>

#include <array>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "supervise/child.h"

namespace oomdrill::probe {

/// A process's name as the kernel keeps it, at most 15 bytes.
class ProcessName {
 public:
  ProcessName() = default;
  explicit ProcessName(std::string_view text);
  [[nodiscard]] std::string_view view() const { return {text_.data(), size_}; }

 private:
  std::array<char, 16> text_{};
  std::size_t size_ = 0;
};

/// What one SIGCHLD brought.
struct Reaped {
  bool main_ended = false;
  int main_status = 0;
  /// The first child other than the main one that died by SIGKILL.
  pid_t other_killed = 0;
  ProcessName other_name;
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

  void forward(int signal);
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

 private:
  void send(int signal) const;

  Child child_;
  ProcessName name_;
  Settings settings_;
  Fd proc_;
  const Clock* clock_;
  std::optional<Nanoseconds> kill_at_;
  bool ended_ = false;
  bool stop_requested_ = false;
  bool killed_by_us_ = false;
};

}  // namespace oomdrill::probe
