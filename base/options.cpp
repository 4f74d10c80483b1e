#include "base/options.h"

#include <algorithm>
#include <cxxopts.hpp>

namespace oomdrill {
namespace {

std::string full_name(const Command& command) {
  std::string name(command.program);
  if (!command.name.empty()) name += " " + std::string(command.name);
  return name;
}

bool is_true(std::string_view text) {
  return !(text.empty() || text == "0" || text == "false" || text == "no");
}

std::string describe(const Command& command, const Option& option) {
  std::string text(option.help);
  text += " [" + environment_name(command, option);
  if (!option.default_value.empty()) text += ", default " + std::string(option.default_value);
  return text + "]";
}

cxxopts::Options declare(const Command& command) {
  cxxopts::Options options(full_name(command), std::string(command.summary));
  std::string usage = "[options]";
  if (!command.synopsis.empty()) usage += " " + std::string(command.synopsis);
  options.custom_help(usage).positional_help("").set_width(100);
  auto add = options.add_options();
  for (const Option& option : command.options) {
    std::string names(option.name);
    if (option.short_name != 0) names.insert(0, {option.short_name, ','});
    if (option.value.empty()) {
      add(names, describe(command, option), cxxopts::value<bool>());
    } else {
      // A repeatable one too: cxxopts' vector<string> would split at commas, which values contain.
      add(names, describe(command, option), cxxopts::value<std::string>(),
          std::string(option.value));
    }
  }
  add("h,help", "Print this text");
  add("version", "Print the version");
  return options;
}

}  // namespace

bool Arguments::given(std::string_view name) const {
  const auto it = values_.find(name);
  return it != values_.end() && it->second.given;
}

bool Arguments::flag(std::string_view name) const { return is_true(text(name)); }

std::string Arguments::text(std::string_view name) const {
  const auto it = values_.find(name);
  return it == values_.end() || it->second.texts.empty() ? "" : it->second.texts.back();
}

std::vector<std::string> Arguments::all(std::string_view name) const {
  const auto it = values_.find(name);
  return it == values_.end() ? std::vector<std::string>{} : it->second.texts;
}

std::string Arguments::origin(std::string_view name) const {
  const auto it = values_.find(name);
  return it == values_.end() ? "--" + std::string(name) : it->second.origin;
}

std::string environment_name(const Command& command, const Option& option) {
  std::string name = std::string(command.program) + "_" + std::string(option.name);
  for (char& c : name) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c == '-') c = '_';
  }
  return name;
}

Result<Arguments> parse_arguments(const Command& command, std::span<const std::string> arguments,
                                  const Environment& environment) {
  Arguments out;
  const auto separator = std::find(arguments.begin(), arguments.end(), "--");
  std::vector<std::string> behind;
  if (separator != arguments.end()) behind.assign(separator + 1, arguments.end());

  std::vector<const char*> argv = {"program"};
  for (auto it = arguments.begin(); it != separator; ++it) argv.push_back(it->c_str());

  const std::string remedy = "see " + full_name(command) + " --help";
  try {
    cxxopts::Options options = declare(command);
    const auto parsed = options.parse(static_cast<int>(argv.size()), argv.data());
    out.help = parsed.count("help") > 0;
    out.version = parsed.count("version") > 0;
    out.positionals = parsed.unmatched();
    for (const Option& option : command.options) {
      Arguments::Value value;
      const std::string variable = environment_name(command, option);
      const char* from_environment = environment ? environment(variable.c_str()) : nullptr;
      for (const auto& pair : parsed.arguments()) {
        if (pair.key() == option.name) value.texts.push_back(pair.value());
      }
      if (!value.texts.empty()) {
        value.origin = "--" + std::string(option.name);
        value.given = true;
      } else if (from_environment != nullptr && *from_environment != '\0') {
        value.texts = {from_environment};
        value.origin = variable;
        value.given = true;
      } else {
        if (!option.default_value.empty()) value.texts = {std::string(option.default_value)};
        value.origin = "--" + std::string(option.name);
      }
      out.values_.emplace(option.name, std::move(value));
    }
  } catch (const cxxopts::exceptions::no_such_option& error) {
    return fail(error.what(), {},
                command.unknown_option.empty()
                    ? remedy
                    : std::string(command.unknown_option) + "; or " + remedy);
  } catch (const std::exception& error) {
    return fail(error.what(), {}, remedy);
  }
  if (!behind.empty() && !command.takes_command && !command.takes_positionals) {
    return fail(
        "'" + behind.front() + "' stands behind --, and " + full_name(command) + " runs no command",
        {}, remedy);
  }
  auto& taken = command.takes_command ? out.command : out.positionals;
  taken.insert(taken.end(), behind.begin(), behind.end());
  if (!out.positionals.empty() && !command.takes_positionals) {
    return fail("unexpected argument '" + out.positionals.front() + "'", {}, remedy);
  }
  return out;
}

std::string help_text(const Command& command) {
  std::string text = declare(command).help();
  if (!command.epilogue.empty()) text += "\n" + std::string(command.epilogue);
  if (!text.ends_with('\n')) text += '\n';
  return text;
}

}  // namespace oomdrill
