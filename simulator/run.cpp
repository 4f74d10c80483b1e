#include "run.h"

#include <fmt/core.h>

#include <vector>

#include "allocator.h"
#include "options.h"
#include "outcome.h"
#include "subcommand.h"
#include "version.h"

namespace oomdrill::simulator {

int run(std::span<const std::string> texts, const Machine& machine) {
  std::vector<Command> commands = {kCommand};
  for (const Subcommand& each : subcommands()) commands.push_back(each.command());
  constexpr std::string_view kOwn[] = {kPreloadedVariable};
  if (const auto known = check_variables(commands, machine.variables, kOwn); !known) {
    complain(machine.err, known.error().line());
    return kUsage;
  }
  if (const auto code = run_subcommand(texts, machine)) return *code;
  const auto arguments = parse_arguments(kCommand, texts, machine.environment);
  if (!arguments) {
    complain(machine.err, arguments.error().line());
    return kUsage;
  }
  if (arguments->help) {
    return answer(machine.out, machine.err, help_text(kCommand));
  }
  if (arguments->version) {
    return answer(machine.out, machine.err, fmt::format("leaksim {}\n", kVersion));
  }
  return run_leak(*arguments, machine);
}

}  // namespace oomdrill::simulator
