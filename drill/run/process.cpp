#include "run/process.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "base/clock.h"

namespace oomdrill::run {
namespace {

struct Pipe {
  Fd read;
  Fd write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) return fail_errno("cannot make a", "pipe");
  return Pipe{Fd(fds[0]), Fd(fds[1])};
}

/// What the child reports when it cannot become the program.
struct Failure {
  enum class Step : int { enter, exec } step;
  int errnum;
};

[[noreturn]] void give_up(int fd, Failure::Step step, int errnum) {
  const Failure failure{step, errnum};
  // Nobody is left to tell if this fails; the parent then reads the exit code.
  [[maybe_unused]] const auto n = ::write(fd, &failure, sizeof failure);
  ::_exit(127);
}

bool read_more(Fd& fd, std::string& into) {
  std::array<char, 4096> buffer{};
  const auto n = ::read(fd.get(), buffer.data(), buffer.size());
  if (n > 0) into.append(buffer.data(), static_cast<std::size_t>(n));
  if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) fd.reset();
  return fd.valid();
}

bool is_executable_file(const std::string& path) { return ::access(path.c_str(), X_OK) == 0; }

}  // namespace

Result<Child> spawn(const std::vector<std::string>& argv, const std::function<int()>& enter) {
  auto out = make_pipe();
  auto err = make_pipe();
  auto status = make_pipe();
  if (!out) return fail(out.error());
  if (!err) return fail(err.error());
  if (!status) return fail(status.error());
  auto null = open_file("/dev/null", O_RDONLY);
  if (!null) return fail(null.error());
  std::vector<char*> words;
  words.reserve(argv.size() + 1);
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);

  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("cannot start", argv.front());
  if (pid == 0) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(127);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    ::dup2(null->get(), STDIN_FILENO);
    ::dup2(out->write.get(), STDOUT_FILENO);
    ::dup2(err->write.get(), STDERR_FILENO);
    if (enter) {
      if (const int errnum = enter(); errnum != 0) {
        give_up(status->write.get(), Failure::Step::enter, errnum);
      }
    }
    ::execv(words[0], words.data());
    give_up(status->write.get(), Failure::Step::exec, errno);
  }
  // Here too: whoever signals the group must not come before the child's own call.
  ::setpgid(pid, pid);
  status->write.reset();
  Failure failure{};
  ssize_t n = 0;
  do {
    n = ::read(status->read.get(), &failure, sizeof failure);
  } while (n < 0 && errno == EINTR);
  if (n == static_cast<ssize_t>(sizeof failure)) {
    ::waitpid(pid, nullptr, 0);
    errno = failure.errnum;
    return failure.step == Failure::Step::enter
               ? fail_errno("cannot enter the cgroup with", argv.front())
               : fail_errno("cannot execute", argv.front());
  }
  ::fcntl(out->read.get(), F_SETFL, O_NONBLOCK);
  ::fcntl(err->read.get(), F_SETFL, O_NONBLOCK);
  return Child{pid, std::move(out->read), std::move(err->read)};
}

bool Finished::ok() const { return WIFEXITED(status) && WEXITSTATUS(status) == 0; }

std::string Finished::reason() const {
  std::string_view text = err;
  while (text.ends_with('\n')) text.remove_suffix(1);
  if (text.empty()) return describe_status(status);
  const auto newline = text.rfind('\n');
  return std::string(newline == std::string_view::npos ? text : text.substr(newline + 1));
}

Result<Finished> run_to_end(const std::vector<std::string>& argv, Nanoseconds patience) {
  const SystemClock clock;
  const Nanoseconds deadline = clock.now() + patience;
  auto child = spawn(argv);
  if (!child) return fail(child.error());
  Finished finished;
  const auto kill_it = [&] {
    ::kill(-child->pid, SIGKILL);
    ::waitpid(child->pid, nullptr, 0);
  };
  while (child->out || child->err) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock.now());
    std::array<pollfd, 2> fds = {pollfd{child->out.get(), POLLIN, 0},
                                 pollfd{child->err.get(), POLLIN, 0}};
    if (left.count() <= 0) {
      kill_it();
      return fail("does not answer within " + format_duration(patience), argv.front());
    }
    if (::poll(fds.data(), fds.size(), static_cast<int>(left.count())) < 0 && errno != EINTR) {
      kill_it();
      return fail_errno("cannot poll", argv.front());
    }
    if ((fds[0].revents & (POLLIN | POLLHUP)) != 0) read_more(child->out, finished.out);
    if ((fds[1].revents & (POLLIN | POLLHUP)) != 0) read_more(child->err, finished.err);
  }
  // Both pipes are closed: it has ended, or is about to.
  while (::waitpid(child->pid, &finished.status, 0) < 0 && errno == EINTR) {
  }
  return finished;
}

Result<std::string> find_on_path(const std::string& name) {
  const char* variable = std::getenv("PATH");
  std::string_view path = variable == nullptr ? "/usr/local/bin:/usr/bin:/bin" : variable;
  while (!path.empty()) {
    const auto colon = path.find(':');
    std::string candidate(path.substr(0, colon));
    if (!candidate.empty()) {
      candidate.append("/").append(name);
      if (is_executable_file(candidate)) return candidate;
    }
    path = colon == std::string_view::npos ? "" : path.substr(colon + 1);
  }
  return fail(name + " is not on PATH");
}

Result<std::string> find_program(const std::string& name) {
  std::string self(4096, '\0');
  const auto n = ::readlink("/proc/self/exe", self.data(), self.size());
  if (n > 0) {
    self.resize(static_cast<std::size_t>(n));
    const std::string beside = self.substr(0, self.rfind('/') + 1) + name;
    if (is_executable_file(beside)) return beside;
  }
  auto found = find_on_path(name);
  if (found) return found;
  return fail(name + " is neither beside oomdrill nor on PATH", {}, "build or install it");
}

std::string describe_status(int status) {
  if (WIFSIGNALED(status)) {
    const char* abbreviation = ::sigabbrev_np(WTERMSIG(status));
    return abbreviation == nullptr ? fmt::format("died by signal {}", WTERMSIG(status))
                                   : fmt::format("died by SIG{}", abbreviation);
  }
  return fmt::format("exited {}", WEXITSTATUS(status));
}

int exit_code_of(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

std::string join_command(const std::vector<std::string>& argv) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,%+@";
  std::string text;
  for (const std::string& word : argv) {
    if (!text.empty()) text += ' ';
    if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) {
      text += word;
      continue;
    }
    text += '\'';
    for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    text += '\'';
  }
  return text;
}

}  // namespace oomdrill::run
