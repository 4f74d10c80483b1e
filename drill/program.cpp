#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <vector>

#include "evaluate/command.h"
#include "predict/command.h"
#include "report/command.h"
#include "rightsize/command.h"
#include "run/command.h"
#include "subcommand.h"
#include "trend/command.h"

namespace oomdrill::drill {
namespace {

/// The one table.
constexpr std::array kSubcommands = {
    Subcommand{&run::kRunCommand, run::run_drill},
    Subcommand{&evaluate::kEvaluateCommand, evaluate::run_evaluate},
    Subcommand{&predict::kPredictCommand, predict::run_predict},
    Subcommand{&trend::kTrendCommand, trend::run_trend},
    Subcommand{&rightsize::kRightsizeCommand, rightsize::run_rightsize},
    Subcommand{&report::kReportCommand, report::run_report},
};

/// scripts/ and tests/ have variables of this prefix: what comes no nearer to an option's is
/// theirs.
constexpr std::size_t kMisspelt = 1;

constexpr std::string_view kRemedy = "see oomdrill --help";

std::string overview() {
  std::string text =
      "Would we have known in time? Runs OOM drills and says what they show.\n\n"
      "Usage:\n  oomdrill COMMAND [options]\n\nCommands:\n";
  for (const Subcommand& each : kSubcommands) {
    text += fmt::format("  {:<10} {}\n", each.command->name, each.command->summary);
  }
  text +=
      "\n  -h, --help   Print this text, or that of a command: oomdrill COMMAND --help\n"
      "      --version  Print the version\n"
      "\nExit codes: 0 as expected, 1 otherwise, 64 usage, 65 wrong data, 66 no input,\n"
      "69 unavailable, 70 internal, 73 the recording cannot be created, 74 it cannot be written.\n";
  return text;
}

ExitCode usage(Streams& streams, const std::string& what) {
  streams.err << "oomdrill: " << what << "; " << kRemedy << '\n';
  return ExitCode::usage;
}

}  // namespace

ExitCode run_program(std::span<const std::string> arguments, const Environment& environment,
                     Streams& streams, const char* const* variables) {
  if (arguments.empty()) return usage(streams, "no command");
  const std::string& first = arguments.front();
  if (first == "-h" || first == "--help") {
    streams.out << overview();
    return ExitCode::as_expected;
  }
  if (first == "--version") {
    streams.out << "oomdrill " << OOMDRILL_VERSION << '\n';
    return ExitCode::as_expected;
  }
  const auto* found =
      std::find_if(kSubcommands.begin(), kSubcommands.end(),
                   [&](const Subcommand& each) { return each.command->name == first; });
  if (found == kSubcommands.end()) {
    return usage(streams, first.starts_with('-') ? "unknown option '" + first + "'"
                                                 : "unknown command '" + first + "'");
  }
  const auto parsed = parse_arguments(*found->command, arguments.subspan(1), environment);
  if (!parsed) {
    streams.err << "oomdrill: " << parsed.error().line() << '\n';
    return ExitCode::usage;
  }
  if (parsed->help) {
    streams.out << help_text(*found->command);
    return ExitCode::as_expected;
  }
  if (parsed->version) {
    streams.out << "oomdrill " << OOMDRILL_VERSION << '\n';
    return ExitCode::as_expected;
  }
  std::vector<Command> commands;
  commands.reserve(kSubcommands.size());
  for (const Subcommand& each : kSubcommands) commands.push_back(*each.command);
  if (const auto known = check_variables(commands, variables, {}, kMisspelt); !known) {
    return complain(streams, known.error(), ExitCode::usage);
  }
  return found->run(*parsed, streams);
}

}  // namespace oomdrill::drill
