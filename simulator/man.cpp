#include "exit_codes.h"
#include "options.h"
#include "outcome.h"
#include "plan/plan.h"
#include "subcommand.h"
#include "version.h"

namespace oomdrill::simulator {
namespace {

/// Text as roff shows it: '-' as an ASCII hyphen, and no line that is taken for a request.
std::string roff(std::string_view text) {
  std::string out;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
    line_begins = c == '\n';
  }
  return out;
}

std::string bold(std::string_view text) { return "\\fB" + roff(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + roff(text) + "\\fR"; }

std::string option_text(const Option& option) {
  std::string head;
  if (option.short_name != 0) head = bold(std::string("-") + option.short_name) + ", ";
  head += bold("--" + std::string(option.name));
  if (!option.value.empty()) head += " " + italic(option.value);
  std::string text = ".TP\n" + head + "\n" + roff(option.help) + ".\n";
  if (option.repeatable) text += "May be given several times.\n";
  if (!option.default_value.empty()) {
    text += "The default is " + bold(option.default_value) + ".\n";
  }
  return text + "Variable: " + bold(environment_name(kCommand, option)) + ".\n";
}

std::string parameter_text(const plan::Parameter& parameter) {
  std::string text = ".TP\n" + bold(std::string(parameter.name) + "=") + italic(parameter.value) +
                     "\n" + roff(parameter.help) + ".\n";
  if (!parameter.default_value.empty()) {
    text += "The default is " + bold(parameter.default_value) + ".\n";
  }
  return text;
}

std::string page(const Machine& machine) {
  std::string text =
      fmt::format(".TH LEAKSIM 1 \"\" \"oomdrill {}\" \"User Commands\"\n.nh\n.ad l\n", kVersion);
  text += ".SH NAME\nleaksim \\- " + roff(kCommand.summary) + "\n.SH SYNOPSIS\n" + bold("leaksim") +
          " [" + italic("options") + "]\n";
  for (const Subcommand& each : subcommands()) {
    text += ".br\n" + bold("leaksim " + std::string(each.name)) + " [" + italic("options") + "]";
    if (!each.command().synopsis.empty()) text += " " + roff(each.command().synopsis);
    text += "\n";
  }
  text += ".SH DESCRIPTION\n.nf\n" + roff(kCommand.epilogue) + ".fi\n.SH OPTIONS\n";
  for (const Option& option : kCommand.options) text += option_text(option);
  text += ".TP\n" + bold("-h") + ", " + bold("--help") + "\nPrints the options.\n.TP\n" +
          bold("--version") + "\nPrints the version.\n.SH COMMANDS\n";
  for (const Subcommand& each : subcommands()) {
    text += ".TP\n" + bold(each.name) + "\n" + roff(each.command().summary) + "\n";
  }
  text += ".SH PATTERNS\nEvery pattern takes:\n" + parameter_text(plan::kFor);
  for (const plan::Pattern& pattern : plan::patterns()) {
    text += ".SS " + std::string(pattern.name) + "\n" + roff(pattern.help) + ".\n";
    for (const plan::Parameter& parameter : pattern.parameters) text += parameter_text(parameter);
  }
  text += ".SH KINDS OF MEMORY\n";
  for (const memory::Kind& kind : machine.kinds) {
    text += ".TP\n" + bold(kind.name) + "\n" + roff(kind.help) + ".\n";
  }
  return text;
}

const Command& command() {
  static const Command command = {.program = "leaksim",
                                  .name = "man",
                                  .synopsis = "",
                                  .summary = "Prints leaksim's manual page.",
                                  .options = {},
                                  .epilogue = "Example:\n  leaksim man | man -l -\n"};
  return command;
}

int run(const Arguments&, const Machine& machine) {
  return answer(machine.out, machine.err, page(machine));
}

}  // namespace

const Subcommand kMan = {.name = "man", .command = command, .run = run};

}  // namespace oomdrill::simulator
