#include "supervise/child.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace oomdrill::probe {
namespace {

constexpr int kMostScore = 1000;

/// What the child tells through the status pipe; the pipe closes by itself when exec succeeds.
struct Report {
  enum class About : int { score, exec } about;
  int error;
};

void tell(int fd, Report::About about, int error) {
  const Report report{about, error};
  // A write of a few bytes to an empty pipe cannot be short; without a reader nobody cares.
  [[maybe_unused]] const auto n = ::write(fd, &report, sizeof report);
}

int set_own_score(const char* path, int score) {
  std::array<char, 8> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), score).ptr;
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  const auto n = ::write(fd, text.data(), static_cast<std::size_t>(end - text.data()));
  const int error = n < 0 ? errno : 0;
  ::close(fd);
  return error;
}

/// Only async-signal-safe calls, since it runs between fork and exec.
[[noreturn]] void become(char* const argv[], const char* score_path, std::optional<int> score,
                         const SignalInbox& signals, bool foreground, int status_fd) {
  ::setpgid(0, 0);
  // Done here and not in the parent, so that the child is in the foreground before it reads;
  // SIGTTOU is still ignored.
  if (foreground) ::tcsetpgrp(STDIN_FILENO, ::getpgrp());
  if (score) {
    if (const int error = set_own_score(score_path, *score); error != 0) {
      tell(status_fd, Report::About::score, error);
    }
  }
  signals.restore_for_exec();
  ::execvp(argv[0], argv);
  tell(status_fd, Report::About::exec, errno);
  ::_exit(127);
}

tl::unexpected<Error> exec_failure(const std::string& command, int error) {
  const bool is_path = command.find('/') != std::string::npos;
  const bool exists = is_path && ::access(command.c_str(), F_OK) == 0;
  Error failure{std::strerror(error), command, {}, error};
  if (error == ENOENT && exists) {
    failure.what = "its interpreter is missing";
    failure.remedy = "check its first line (#!), or the dynamic loader it was linked for";
    failure.errnum = ENOEXEC;
  } else if (error == ENOENT) {
    failure.what = is_path ? "no such file" : "command not found";
    failure.remedy = is_path ? "check the path" : "check the name and PATH";
  } else if (error == EACCES) {
    failure.what = "cannot be executed: permission denied";
    failure.remedy = "check its mode (chmod +x), its folder's, and the mount's noexec";
  } else {
    failure.what = std::string("cannot be executed: ") + std::strerror(error);
  }
  return fail(std::move(failure));
}

}  // namespace

int exec_exit_code(const Error& error) { return error.errnum == ENOENT ? 127 : 126; }

int raised_score(int own, std::optional<std::uint64_t> limit) {
  constexpr std::uint64_t kWeight = 8 << 20;
  // The kernel adds score/1000 of the memory that the limit allows to a process's size.
  const std::uint64_t raise =
      limit && *limit > 0 ? std::min<std::uint64_t>(kWeight * 1000 / *limit + 1, 500) : 1;
  return std::min(own + static_cast<int>(raise), kMostScore);
}

std::optional<int> read_oom_score_adj(const FileRoot& root, const std::string& process) {
  const auto text = read_file(root / ("/proc/" + process + "/oom_score_adj"));
  if (!text) return std::nullopt;
  int score = 0;
  const auto result = std::from_chars(text->data(), text->data() + text->size(), score);
  if (result.ec != std::errc{}) return std::nullopt;
  return score;
}

Result<Child> launch(const Launch& launch, const SignalInbox& signals, const FileRoot& root) {
  std::vector<char*> argv;
  std::vector<std::string> words = launch.command;
  argv.reserve(words.size() + 1);
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::string score_path = root / "/proc/self/oom_score_adj";

  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("cannot make a pipe", "pipe2");
  const Fd read_end(ends[0]);
  Fd write_end(ends[1]);

  Child child;
  // Handed on only by one who has it: a probe in the background takes none.
  child.foreground = ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
  child.pid = ::fork();
  if (child.pid < 0) {
    return fail_errno("cannot start a process", launch.command.front(),
                      "check the limits on processes (ulimit -u, pids.max) and memory");
  }
  if (child.pid == 0) {
    become(argv.data(), score_path.c_str(), launch.oom_score_adj, signals, child.foreground,
           write_end.get());
  }
  write_end.reset();

  int exec_error = 0;
  Report report{};
  for (;;) {
    const auto n = ::read(read_end.get(), &report, sizeof report);
    if (n < 0 && errno == EINTR) continue;
    if (n != static_cast<ssize_t>(sizeof report)) break;
    (report.about == Report::About::score ? child.oom_score_errno : exec_error) = report.error;
  }
  if (exec_error != 0) {
    int ignored = 0;
    while (::waitpid(child.pid, &ignored, 0) < 0 && errno == EINTR) {
    }
    if (child.foreground) ::tcsetpgrp(STDIN_FILENO, ::getpgrp());
    return exec_failure(launch.command.front(), exec_error);
  }
  const std::string process = std::to_string(child.pid);
  if (auto stat = open_file(root / ("/proc/" + process + "/stat"), O_RDONLY)) {
    child.stat = std::move(*stat);
  }
  child.oom_score_adj = read_oom_score_adj(root, process);
  return child;
}

}  // namespace oomdrill::probe
