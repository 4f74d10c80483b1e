#pragma once

#include <sys/types.h>

#include <csignal>
#include <string_view>

#include "base/error.h"
#include "base/file.h"

namespace oomdrill::probe {

/// "SIGTERM", "SIGRTMIN+3"; in place, so that it can be told without allocating.
class SignalName {
 public:
  explicit SignalName(int signal);
  [[nodiscard]] std::string_view view() const { return {text_, size_}; }

 private:
  char text_[16] = {};
  std::size_t size_ = 0;
};

struct Signal {
  int number = 0;
  pid_t sender = 0;  ///< 0: the kernel, or a process of another pid namespace
};

/// Signals as a descriptor. The process's own signal state from construction to destruction.
class SignalInbox {
 public:
  enum class Receive {
    all,   ///< all but those of a bug in this process: what a supervisor forwards
    stops  ///< requests to end
  };
  /// Blocks what it receives, ignores SIGPIPE, SIGTTIN and SIGTTOU, and takes SIGCHLD back from a
  /// parent that had it ignored, where no child could be waited for.
  static Result<SignalInbox> open(Receive receive);
  SignalInbox(SignalInbox&&) = default;
  SignalInbox& operator=(SignalInbox&&) = delete;
  ~SignalInbox();

  [[nodiscard]] int fd() const { return fd_.get(); }
  /// The next pending signal; number 0 where there is none.
  [[nodiscard]] Signal next() const;
  /// Takes what is pending: whether a request to stop was among it.
  [[nodiscard]] bool stop_is_asked() const;
  /// In a forked child, before exec: all as it was found, but for SIGPIPE and SIGCHLD, which get
  /// their default actions. Async-signal-safe.
  void restore_for_exec() const;

 private:
  SignalInbox() = default;
  Fd fd_;
  sigset_t found_{};
  struct sigaction ttin_ {
  }, ttou_{}, pipe_{}, child_{};
};

/// Asks its receiver to end: what may come before a SIGKILL.
bool is_stop_request(int signal);

}  // namespace oomdrill::probe
