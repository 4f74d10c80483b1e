#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

/// Command lines. Every option is also an environment variable: LEAKSIM_MAX_BYTES for leaksim's
/// --max-bytes. Precedence: flag, variable, default. Help, docs and completion run over the table.
namespace oomdrill {

struct Option {
  std::string_view name;           ///< long name, without dashes
  std::string_view value;          ///< placeholder of its value; empty: a switch
  std::string_view default_value;  ///< empty: none
  std::string_view help;
  char short_name = 0;
  bool repeatable = false;  ///< its values are collected; the variable holds one
};

struct Command {
  std::string_view program;   ///< "oomprobe"
  std::string_view name;      ///< "run"; empty for a program without commands
  std::string_view synopsis;  ///< what follows the options: "-- command…"
  std::string_view summary;   ///< one sentence
  std::span<const Option> options;
  std::string_view epilogue = {};  ///< examples
  bool takes_positionals = false;
  bool takes_command = false;            ///< behind "--"; else what stands there are positionals
  std::string_view unknown_option = {};  ///< what else the remedy of an unknown option says
};

/// getenv or a test's map; nullptr where unset.
using Environment = std::function<const char*(const char*)>;

class Arguments {
 public:
  /// By a flag or a variable, not by default.
  [[nodiscard]] bool given(std::string_view name) const;
  /// A switch; its variable is true unless empty, "0", "false" or "no".
  [[nodiscard]] bool flag(std::string_view name) const;
  /// The value as text; empty where neither given nor defaulted.
  [[nodiscard]] std::string text(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> all(std::string_view name) const;
  /// "--rate", "LEAKSIM_RATE" or "default of --rate": where a value came from, for errors.
  [[nodiscard]] std::string origin(std::string_view name) const;

  /// The value through `parse`, an error naming its origin.
  template <class Parse>
  [[nodiscard]] auto get(std::string_view name, Parse parse) const
      -> decltype(parse(std::string_view{})) {
    auto result = parse(std::string_view(text(name)));
    if (!result) return fail(std::move(result.error()).within(origin(name)));
    return result;
  }

  std::vector<std::string> positionals;
  std::vector<std::string> command;  ///< what stood behind "--"
  bool help = false;                 ///< -h, --help
  bool version = false;              ///< --version

 private:
  friend Result<Arguments> parse_arguments(const Command&, std::span<const std::string>,
                                           const Environment&);
  struct Value {
    std::vector<std::string> texts;
    std::string origin;
    bool given = false;
  };
  std::map<std::string, Value, std::less<>> values_;
};

/// `arguments` without the program's and the command's name. An error is a usage error: it names
/// the argument and points to --help.
Result<Arguments> parse_arguments(const Command& command, std::span<const std::string> arguments,
                                  const Environment& environment);

/// "LEAKSIM_MAX_BYTES".
std::string environment_name(const Command& command, const Option& option);

/// A usage error where a variable has the programs' prefix and no option of `commands` reads it:
/// misspelt, it would be passed over in silence. Names the nearest one. `environment` is environ;
/// `others` are further names that mean something. Variables that are empty, and those that
/// Kubernetes and Docker make of a service of the program's name (OOMPROBE_PORT, …), are let be.
/// `edits`: only what comes so near to a variable; for a prefix that is others' too.
Result<void> check_variables(std::span<const Command> commands, const char* const* environment,
                             std::span<const std::string_view> others = {},
                             std::size_t edits = SIZE_MAX);

/// The help text: usage, summary, each option with its variable and default, epilogue.
std::string help_text(const Command& command);

}  // namespace oomdrill
