#include "supervise/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace oomdrill::probe {
namespace {

/// Raised by this process's own fault, or of no use to it; never taken for the child's.
constexpr int kNotReceived[] = {SIGFPE,  SIGILL, SIGSEGV, SIGBUS,  SIGABRT,
                                SIGTRAP, SIGSYS, SIGPIPE, SIGTTIN, SIGTTOU};

}  // namespace

SignalName::SignalName(int signal) {
  const auto put = [this](std::string_view text) {
    const std::size_t n = std::min(text.size(), sizeof text_ - size_);
    std::memcpy(text_ + size_, text.data(), n);
    size_ += n;
  };
  const auto put_number = [this](int value) {
    const auto result = std::to_chars(text_ + size_, text_ + sizeof text_, value);
    size_ = static_cast<std::size_t>(result.ptr - text_);
  };
  if (signal >= SIGRTMIN && signal <= SIGRTMAX) {
    put("SIGRTMIN+");
    put_number(signal - SIGRTMIN);
    return;
  }
  put("SIG");
  if (const char* name = ::sigabbrev_np(signal)) {
    put(name);
  } else {
    put_number(signal);
  }
}

Result<SignalInbox> SignalInbox::open(Receive receive) {
  sigset_t received;
  if (receive == Receive::all) {
    sigfillset(&received);
    for (const int signal : kNotReceived) sigdelset(&received, signal);
  } else {
    sigemptyset(&received);
    for (const int signal : {SIGTERM, SIGINT, SIGQUIT, SIGHUP}) sigaddset(&received, signal);
  }

  SignalInbox inbox;
  if (sigprocmask(SIG_SETMASK, &received, &inbox.found_) != 0) {
    return fail_errno("cannot block signals", "sigprocmask");
  }
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  sigaction(SIGTTIN, &ignore, &inbox.ttin_);
  sigaction(SIGTTOU, &ignore, &inbox.ttou_);
  sigaction(SIGPIPE, &ignore, &inbox.pipe_);
  sigaction(SIGCHLD, &standard, &inbox.child_);

  inbox.fd_ = Fd(::signalfd(-1, &received, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!inbox.fd_) return fail_errno("cannot receive signals", "signalfd");
  return inbox;
}

SignalInbox::~SignalInbox() {
  if (!fd_) return;
  sigaction(SIGTTIN, &ttin_, nullptr);
  sigaction(SIGTTOU, &ttou_, nullptr);
  sigaction(SIGPIPE, &pipe_, nullptr);
  sigaction(SIGCHLD, &child_, nullptr);
  sigprocmask(SIG_SETMASK, &found_, nullptr);
}

Signal SignalInbox::next() const {
  signalfd_siginfo info{};
  if (::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return {};
  return {static_cast<int>(info.ssi_signo), static_cast<pid_t>(info.ssi_pid)};
}

bool SignalInbox::stop_is_asked() const {
  for (Signal signal = next(); signal.number != 0; signal = next()) {
    if (signal.number != SIGCHLD) return true;
  }
  return false;
}

void SignalInbox::restore_for_exec() const {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (const int signal : {SIGPIPE, SIGCHLD}) sigaction(signal, &standard, nullptr);
  sigaction(SIGTTIN, &ttin_, nullptr);
  sigaction(SIGTTOU, &ttou_, nullptr);
  sigprocmask(SIG_SETMASK, &found_, nullptr);
}

bool is_stop_request(int signal) {
  return signal == SIGTERM || signal == SIGINT || signal == SIGQUIT;
}

}  // namespace oomdrill::probe
