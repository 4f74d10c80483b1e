#include "outcome.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace oomdrill::simulator {

int print(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n < 0 ? errno : EIO;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return 0;
}

ExitCode answered(int error, int err) {
  if (error == 0 || error == EPIPE) return kDone;
  complain(err, std::string("standard output cannot be written: ") + std::strerror(error));
  return kNotWritten;
}

ExitCode answer(int out, int err, std::string_view text) { return answered(print(out, text), err); }

void complain(int fd, const std::string& line) { print(fd, "leaksim: " + line + "\n"); }

}  // namespace oomdrill::simulator
