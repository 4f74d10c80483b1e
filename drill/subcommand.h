#pragma once

#include <ostream>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
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

/// Says it on stderr, in one line; returns `code`.
ExitCode complain(Streams& streams, const Error& error, ExitCode code);

/// --format of a command that writes text or JSON: whether it is json. Error: it is neither.
Result<bool> wants_json(const Arguments& arguments);

/// Error: the command reads recordings, and none is named.
Result<void> names_recordings(const Arguments& arguments);

/// `arguments` without the program's name; `variables` is environ, of which misspelt ones are told.
ExitCode run_program(std::span<const std::string> arguments, const Environment& environment,
                     Streams& streams, const char* const* variables = nullptr);

}  // namespace oomdrill::drill
