#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "fakes.h"
#include "program.h"

namespace oomdrill::probe::fake {

/// Patience with a machine that is shared; a pass never waits for it.
inline constexpr auto kPatience = std::chrono::seconds(120);

/// oomprobe as a process: forked from the test, its output in memory.
class ProbeProcess {
 public:
  /// `before` runs in the new process first; `root` is the machine's.
  explicit ProbeProcess(std::vector<std::string> arguments, std::function<void()> before = {},
                        const std::string& root = {})
      : out_(::memfd_create("out", MFD_CLOEXEC)), err_(::memfd_create("err", MFD_CLOEXEC)) {
    // The probe and its workload write to them, and a memfd's position is not locked between
    // processes: one line would overwrite another's.
    for (const Fd* each : {&out_, &err_}) EXPECT_EQ(::fcntl(each->get(), F_SETFL, O_APPEND), 0);
    pid_ = ::fork();
    if (pid_ != 0) return;
    if (before) before();
    ::dup2(out_.get(), STDOUT_FILENO);
    ::dup2(err_.get(), STDERR_FILENO);
    const SystemClock clock;
    ::_exit(run_program(arguments, {.root = FileRoot(root),
                                    .environment =
                                        [](const char* name) {
                                          return static_cast<const char*>(std::getenv(name));
                                        },
                                    .clock = &clock}));
  }
  ProbeProcess(const ProbeProcess&) = delete;
  ProbeProcess& operator=(const ProbeProcess&) = delete;
  ~ProbeProcess() {
    if (status_ < 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, &status_, 0);
    }
  }

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::string out() const { return text_of(out_.get()); }
  [[nodiscard]] std::string err() const { return text_of(err_.get()); }
  void signal(int signal) const { ::kill(pid_, signal); }

  /// Until `part` stands in the output.
  [[nodiscard]] bool wait_for(std::string_view part) const {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (out().find(part) == std::string::npos) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }

  /// Exit code, 1000 + signal where one ended the probe, -1 where it does not end.
  int wait() {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (::waitpid(pid_, &status_, WNOHANG) == 0) {
      if (std::chrono::steady_clock::now() > deadline) return -1;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : 1000 + WTERMSIG(status_);
  }

  /// The one line of event `name`.
  std::string the(std::string_view name) const {
    const auto lines = lines_of(out(), name);
    EXPECT_EQ(lines.size(), 1U) << name << " in\n" << out() << err();
    return lines.empty() ? "" : lines.front();
  }
  [[nodiscard]] std::size_t count(std::string_view name) const {
    return lines_of(out(), name).size();
  }

 private:
  static std::string text_of(int fd) {
    std::string text;
    char buffer[4096];
    for (off_t at = 0;;) {
      const auto n = ::pread(fd, buffer, sizeof buffer, at);
      if (n <= 0) return text;
      text.append(buffer, static_cast<std::size_t>(n));
      at += n;
    }
  }

  Fd out_, err_;
  pid_t pid_ = -1;
  int status_ = -1;
};

/// `oomprobe run --format json [options] -- sh -c SCRIPT`.
inline std::vector<std::string> run_script(std::string script,
                                           std::vector<std::string> options = {}) {
  std::vector<std::string> out = {"run", "--format", "json"};
  out.insert(out.end(), options.begin(), options.end());
  for (const char* word : {"--", "sh", "-c"}) out.emplace_back(word);
  out.push_back(std::move(script));
  return out;
}

}  // namespace oomdrill::probe::fake
