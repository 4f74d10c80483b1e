#include "console.h"

#include <sys/ioctl.h>
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

void complain(const Machine& machine, const std::string& line) {
  print(machine.err, "leaksim: " + line + "\n");
}

std::size_t terminal_width(int fd) {
  constexpr std::size_t kDefaultWidth = 80;
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kDefaultWidth;
  return size.ws_col;
}

}  // namespace oomdrill::simulator
