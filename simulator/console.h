#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "run.h"

namespace oomdrill::simulator {

/// Writes all of it, or as much as the other end takes.
void print(int fd, std::string_view text);

/// One line on stderr, with the program's name.
void complain(const Machine& machine, const std::string& line);

/// Columns of the terminal behind `fd`; 80 where there is none.
std::size_t terminal_width(int fd);

}  // namespace oomdrill::simulator
