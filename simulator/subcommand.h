#pragma once

#include <span>
#include <string_view>

#include "base/options.h"
#include "run.h"

namespace oomdrill::simulator {

struct Subcommand {
  const Command* command;  ///< an empty name: what leaksim does without one
  /// Returns an ExitCode; --help and --version are answered before.
  int (*run)(const Arguments& arguments, const Machine& machine);
};

int run_leak(const Arguments& arguments, const Machine& machine);
int run_explain(const Arguments& arguments, const Machine& machine);

/// The one table; the first entry is what leaksim does without a command.
std::span<const Subcommand> subcommands();

}  // namespace oomdrill::simulator
