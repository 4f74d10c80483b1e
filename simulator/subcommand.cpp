#include "subcommand.h"

#include <algorithm>
#include <array>

#include "exit_codes.h"
#include "outcome.h"
#include "version.h"

namespace oomdrill::simulator {

std::span<const Subcommand> subcommands() {
  static const std::array table = {kPlan, kExplain, kCompletion, kMan};
  return table;
}

std::optional<int> run_subcommand(std::span<const std::string> texts, const Machine& machine) {
  if (texts.empty()) return std::nullopt;
  const auto table = subcommands();
  const auto found = std::find_if(table.begin(), table.end(), [&](const Subcommand& each) {
    return each.name == texts.front();
  });
  if (found == table.end()) return std::nullopt;
  const auto arguments = parse_arguments(found->command(), texts.subspan(1), machine.environment);
  if (!arguments) {
    complain(machine.err, arguments.error().line());
    return kUsage;
  }
  if (arguments->help || arguments->version) {
    return answer(
        machine.out, machine.err,
        arguments->help ? help_text(found->command()) : fmt::format("leaksim {}\n", kVersion));
  }
  return found->run(*arguments, machine);
}

}  // namespace oomdrill::simulator
