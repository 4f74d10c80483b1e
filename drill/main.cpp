#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>

#include "subcommand.h"

namespace {

std::size_t width_of(int fd) {
  if (::isatty(fd) == 0) return 0;
  winsize size{};
  return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace oomdrill::drill;
  // A reader that goes away must not keep a drill from cleaning up: the write fails instead.
  std::signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  Streams streams{std::cout, std::cerr, width_of(STDOUT_FILENO), width_of(STDERR_FILENO)};
  ExitCode code = run_program(
      arguments, [](const char* name) { return std::getenv(name); }, streams, environ);
  if (!std::cout.flush() && code == ExitCode::as_expected) {
    std::cerr << "oomdrill: cannot write to stdout\n";
    code = ExitCode::io_error;
  }
  return static_cast<int>(code);
}
