#pragma once

#include <ostream>
#include <span>
#include <string>
#include <string_view>

#include "base/options.h"
#include "exit_codes.h"

namespace oomdrill::drill {

/// What a command may write to, and whether a person is there to see it.
struct Streams {
  std::ostream& out;
  std::ostream& err;
  std::size_t out_width = 0;  ///< columns, where it is a terminal; else 0
  std::size_t err_width = 0;
};

struct Subcommand {
  const Command* command;
  ExitCode (*run)(const Arguments& arguments, Streams& streams);
};

/// `arguments` without the program's name.
ExitCode run_program(std::span<const std::string> arguments, const Environment& environment,
                     Streams& streams);

}  // namespace oomdrill::drill
