#pragma once

#include <optional>
#include <span>
#include <string>

#include "base/options.h"
#include "run.h"

namespace oomdrill::simulator {

/// What leaksim does instead of a leak, named by its first argument: `leaksim plan …`. One file
/// each, one line in the table of subcommand.cpp.
struct Subcommand {
  std::string_view name;
  const Command& (*command)();
  /// Returns an ExitCode.
  int (*run)(const Arguments& arguments, const Machine& machine);
};

extern const Subcommand kPlan;
extern const Subcommand kExplain;
extern const Subcommand kCompletion;
extern const Subcommand kMan;

std::span<const Subcommand> subcommands();

/// The leak itself, without a command. Returns an ExitCode.
int run_leak(const Arguments& arguments, const Machine& machine);

/// Runs what `texts` name, or prints its help; nullopt where they name none.
std::optional<int> run_subcommand(std::span<const std::string> texts, const Machine& machine);

}  // namespace oomdrill::simulator
