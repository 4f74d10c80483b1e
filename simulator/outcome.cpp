#include "outcome.h"

#include <unistd.h>

#include <cerrno>

namespace oomdrill::simulator {

void print(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

void complain(int fd, const std::string& line) { print(fd, "leaksim: " + line + "\n"); }

}  // namespace oomdrill::simulator
