#include "console.h"

#include <sys/ioctl.h>

namespace oomdrill::simulator {

std::size_t terminal_width(int fd) {
  constexpr std::size_t kDefaultWidth = 80;
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kDefaultWidth;
  return size.ws_col;
}

}  // namespace oomdrill::simulator
