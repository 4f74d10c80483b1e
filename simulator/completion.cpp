#include <array>

#include "exit_codes.h"
#include "options.h"
#include "outcome.h"
#include "plan/plan.h"
#include "subcommand.h"
#include "telemetry/encoder.h"

namespace oomdrill::simulator {
namespace {

std::string patterns_text() {
  std::string text;
  for (const plan::Pattern& pattern : plan::patterns()) {
    text += (text.empty() ? "" : " ") + std::string(pattern.name);
  }
  return text;
}

std::string parameters_text(const plan::Pattern& pattern) {
  std::string text;
  for (const plan::Parameter& parameter : pattern.parameters) {
    text += std::string(parameter.name) + "= ";
  }
  return text + std::string(plan::kFor.name) + "=";
}

std::string kinds_text(const Machine& machine) {
  std::string text;
  for (const memory::Kind& kind : machine.kinds) {
    text += (text.empty() ? "" : " ") + std::string(kind.name);
  }
  return text;
}

std::string formats_text() {
  std::string text = "auto";
  for (const telemetry::Encoder& encoder : telemetry::encoders()) {
    text += " " + std::string(encoder.name);
  }
  return text;
}

std::string commands_text() {
  std::string text;
  for (const Subcommand& each : subcommands()) {
    text += (text.empty() ? "" : " ") + std::string(each.name);
  }
  return text;
}

/// The values of an option that are words of a table; empty: none.
std::string values_text(const Option& option, const Machine& machine) {
  if (option.name == "pattern" || option.name == "phase") return patterns_text();
  if (option.name == "kind") return kinds_text(machine);
  if (option.name == "format") return formats_text();
  return "";
}

/// Without what a shell's single quotes, and zsh's brackets, would take for their own.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "’";
    } else if (c == '[' || c == ']' || c == ':') {
      out += c == '[' ? "(" : c == ']' ? ")" : " -";
    } else {
      out += c;
    }
  }
  return out;
}

std::string bash(const Machine& machine) {
  std::string options = "--help --version";
  std::string values;
  for (const Option& option : kCommand.options) {
    options += " --" + std::string(option.name);
    if (option.value.empty()) continue;
    std::string flags = "--" + std::string(option.name);
    if (option.short_name != 0) flags += std::string("|-") + option.short_name;
    if (option.name == "pattern" || option.name == "phase") {
      values += fmt::format("    {}) _leaksim_pattern \"$word\"; return ;;\n", flags);
    } else {
      values += fmt::format("    {}) words='{}' ;;\n", flags, values_text(option, machine));
    }
  }
  std::string parameters;
  for (const plan::Pattern& pattern : plan::patterns()) {
    parameters += fmt::format("    {}:*) words='{}' ;;\n", pattern.name, parameters_text(pattern));
  }
  // bash has split the line at ':' and '=' and replaces what stands behind the last of them only.
  return fmt::format(R"(# bash completion of leaksim: source <(leaksim completion bash)
_leaksim_reply() {{  # word, candidates
  local IFS=$' \n' cut=${{1%"${{1##*[:=]}}"}}
  COMPREPLY=($(compgen -W "$2" -- "$1"))
  COMPREPLY=("${{COMPREPLY[@]#"$cut"}}")
  case ${{COMPREPLY[0]-}} in *=) compopt -o nospace 2>/dev/null ;; esac
}}
_leaksim_pattern() {{
  local words='{}' done=${{1%"${{1##*[:,]}}"}} item all=''
  case $1 in
{}  esac
  for item in $words; do all+=" $done$item"; done
  _leaksim_reply "$1" "$all"
}}
_leaksim() {{
  local line=${{COMP_LINE:0:COMP_POINT}} word before words=''
  word=${{line##*[[:space:]]}}
  before=${{line%"$word"}}
  before=${{before%"${{before##*[![:space:]]}}"}}
  before=${{before##*[[:space:]]}}
  COMPREPLY=()
  case $before in
{}    leaksim|*/leaksim) case $word in -*) words='{}' ;; *) words='{}' ;; esac ;;
    completion) words='bash zsh fish' ;;
    *) words='{}' ;;
  esac
  _leaksim_reply "$word" "$words"
}}
complete -F _leaksim leaksim
)",
                     patterns_text(), parameters, values, options, commands_text(), options);
}

std::string zsh(const Machine& machine) {
  std::string text = "#compdef leaksim\n# zsh completion of leaksim: as _leaksim in $fpath\n";
  std::string lines;
  for (const Option& option : kCommand.options) {
    const std::string name(option.name);
    const std::string repeat = option.repeatable ? "*" : "";
    std::string value;
    if (!option.value.empty()) {
      const std::string words = values_text(option, machine);
      value = ":" + plain(option.value) + ":" + (words.empty() ? "" : "(" + words + ")");
    }
    const std::string help = "[" + plain(option.help) + "]" + value;
    if (option.short_name == 0) {
      lines += fmt::format("  '{}--{}{}' \\\n", repeat, name, help);
    } else {
      lines +=
          fmt::format("  '(-{0} --{1})'{{-{0},--{1}}}'{2}' \\\n", option.short_name, name, help);
    }
  }
  return text + "_arguments -s \\\n" + lines + "  '(-h --help)'{-h,--help}'[print the help]' \\\n" +
         "  '--version[print the version]' \\\n  '1::command:(" + commands_text() +
         ")' \\\n  '2::shell:(bash zsh fish)'\n";
}

std::string fish(const Machine& machine) {
  std::string text =
      "# fish completion of leaksim: leaksim completion fish | source\n"
      "complete -c leaksim -f\n";
  for (const Subcommand& each : subcommands()) {
    text += fmt::format("complete -c leaksim -n __fish_use_subcommand -a {} -d '{}'\n", each.name,
                        plain(each.command().summary));
  }
  text +=
      "complete -c leaksim -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'\n"
      "complete -c leaksim -s h -l help -d 'Print the help'\n"
      "complete -c leaksim -l version -d 'Print the version'\n";
  for (const Option& option : kCommand.options) {
    text += "complete -c leaksim";
    if (option.short_name != 0) text += std::string(" -s ") + option.short_name;
    text += fmt::format(" -l {}", option.name);
    if (!option.value.empty()) text += " -x";
    if (const auto words = values_text(option, machine); !words.empty()) {
      text += fmt::format(" -a '{}'", words);
    }
    text += fmt::format(" -d '{}'\n", plain(option.help));
  }
  return text;
}

struct Shell {
  std::string_view name;
  std::string (*script)(const Machine& machine);
};
constexpr std::array kShells = {Shell{"bash", bash}, Shell{"zsh", zsh}, Shell{"fish", fish}};

const Command& command() {
  static const Command command = {
      .program = "leaksim",
      .name = "completion",
      .synopsis = "bash|zsh|fish",
      .summary = "Prints the completion of leaksim's options for a shell.",
      .options = {},
      .epilogue =
          "Examples:\n"
          "  source <(leaksim completion bash)\n"
          "  leaksim completion zsh > ~/.zfunc/_leaksim\n"
          "  leaksim completion fish > ~/.config/fish/completions/leaksim.fish\n",
      .takes_positionals = true};
  return command;
}

int run(const Arguments& arguments, const Machine& machine) {
  if (arguments.positionals.size() == 1) {
    for (const Shell& shell : kShells) {
      if (shell.name != arguments.positionals.front()) continue;
      return answer(machine.out, machine.err, shell.script(machine));
    }
  }
  const std::string given =
      arguments.positionals.empty() ? "no shell" : "'" + arguments.positionals.back() + "'";
  complain(machine.err, "completion: " + given + "; give bash, zsh or fish");
  return kUsage;
}

}  // namespace

const Subcommand kCompletion = {.name = "completion", .command = command, .run = run};

}  // namespace oomdrill::simulator
