#pragma once

#include <cstddef>

namespace oomdrill::simulator {

/// Columns of the terminal behind `fd`; 80 where there is none.
std::size_t terminal_width(int fd);

}  // namespace oomdrill::simulator
