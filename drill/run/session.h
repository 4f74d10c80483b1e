#pragma once

#include <csignal>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/units.h"
#include "recording/account.h"
#include "recording/reader.h"
#include "run/engine.h"
#include "run/verdict.h"

namespace oomdrill::run {

/// SIGINT, SIGTERM, SIGHUP and SIGCHLD as a descriptor, blocked while this lives: made before a
/// room is, so that no signal can fall between its making and its removal.
class Signals {
 public:
  static Result<Signals> open();
  Signals(Signals&& other) noexcept;
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  /// Pending ones are taken: they have been answered by the end of the drill.
  ~Signals();

  [[nodiscard]] int fd() const { return fd_.get(); }
  /// The next that is pending; 0: none.
  [[nodiscard]] int next() const;

 private:
  Signals() = default;
  Fd fd_;
  sigset_t old_{};
  bool active_ = false;
};

/// One execution in a room, from fork to the end of its output.
struct Session {
  std::vector<std::string> argv;  ///< as the room wraps it
  Nanoseconds timeout{0};
  /// Makes the process itself unkillable for the OOM killer, where we may: it is the witness.
  /// Under a load of 20 the kernel had killed the leak and then, before its memory was free, the
  /// probe too, in 3 drills of 250. What the process starts is to raise its own score again.
  bool shield = false;
  /// Each piece of the workload's stdout, as it came.
  std::function<void(std::string_view)> on_output;
  /// Each line of its stderr, with its newline.
  std::function<void(std::string_view)> on_error_line;
  /// Some ten times a second.
  std::function<void()> on_tick;
};

/// Runs it until its process has ended: SIGINT, SIGTERM and SIGHUP to us, or the end of `timeout`,
/// stop it with SIGTERM, and a second signal after a second or more, or ten more seconds, with
/// SIGKILL. What is left in the
/// room is killed; the room stays. Error: it could not be started.
Result<Outside> run_session(const Session& session, Room& room, const Signals& signals);

}  // namespace oomdrill::run
