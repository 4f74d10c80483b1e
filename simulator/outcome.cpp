#include "outcome.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace oomdrill::simulator {

void print(int fd, std::string_view text) {
  errno = 0;
  while (!text.empty()) {
    const auto n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

ExitCode answer(int out, int err, std::string_view text) {
  print(out, text);
  if (errno == 0 || errno == EPIPE) return kDone;
  complain(err, std::string("standard output cannot be written: ") + std::strerror(errno));
  return kNotWritten;
}

void complain(int fd, const std::string& line) { print(fd, "leaksim: " + line + "\n"); }

}  // namespace oomdrill::simulator
