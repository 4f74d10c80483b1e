#include "run.h"

#include <fmt/core.h>

#include <array>

#include "explain.h"
#include "options.h"
#include "outcome.h"
#include "subcommand.h"
#include "version.h"

namespace oomdrill::simulator {

std::span<const Subcommand> subcommands() {
  static constexpr std::array kTable = {
      Subcommand{&kCommand, run_leak},
      Subcommand{&kExplain, run_explain},
  };
  return kTable;
}

int run(std::span<const std::string> texts, const Machine& machine) {
  const Subcommand* chosen = subcommands().data();
  for (const Subcommand& each : subcommands()) {
    if (!texts.empty() && texts.front() == each.command->name) chosen = &each;
  }
  const bool named = !chosen->command->name.empty();
  const auto arguments =
      parse_arguments(*chosen->command, texts.subspan(named ? 1 : 0), machine.environment);
  if (!arguments) {
    complain(machine.err, arguments.error().line());
    return kUsage;
  }
  if (arguments->help) {
    print(machine.out, help_text(*chosen->command));
    return kDone;
  }
  if (arguments->version) {
    print(machine.out, fmt::format("leaksim {}\n", kVersion));
    return kDone;
  }
  return chosen->run(*arguments, machine);
}

}  // namespace oomdrill::simulator
