#include "program.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>

#include "version.h"

namespace oomdrill::probe {
namespace {

std::string overview() {
  std::string text =
      "Watches a memory cgroup from inside a container and tells why a workload died.\n"
      "Usage:\n  oomprobe COMMAND [options]\n\nCommands:\n";
  for (const Command& command : commands()) {
    text += fmt::format("  {:10}{}\n", command.name, command.summary);
  }
  return text + "\noomprobe COMMAND --help tells a command's options; --version the version.\n";
}

int show(const Machine& machine, const std::string& text) {
  if (print(machine.out, text)) return code(ExitCode::success);
  complain(machine, "standard output cannot be written");
  return code(ExitCode::write_error);
}

/// Variables speak to all commands: one that `run` would refuse is as wrong where another command
/// is run in the same container, such as its health check.
Result<void> check_environment(const Machine& machine) {
  if (auto known = check_variables(commands(), machine.variables); !known) return known;
  const auto check = [&machine](std::size_t index, auto read,
                                const std::vector<std::string>& texts) -> Result<void> {
    const auto arguments = parse_arguments(commands()[index], texts, machine.environment);
    if (!arguments) return fail(arguments.error());
    const auto settings = read(*arguments);
    if (!settings) return fail(settings.error());
    return {};
  };
  if (auto fit = check(0, read_run, {"--", "command"}); !fit) return fit;
  if (auto fit = check(1, read_watch, {}); !fit) return fit;
  if (auto fit = check(2, read_snapshot, {}); !fit) return fit;
  return check(3, read_doctor, {});
}

template <class Settings>
int dispatch(const Command& command, std::span<const std::string> texts, const Machine& machine,
             Result<Settings> (*read)(const Arguments&),
             int (*perform)(const Settings&, const Machine&)) {
  const auto arguments = parse_arguments(command, texts, machine.environment);
  if (!arguments) {
    complain(machine, arguments.error().line());
    return code(ExitCode::usage);
  }
  if (arguments->help || arguments->version) {
    return show(machine,
                arguments->help ? help_text(command) : fmt::format("oomprobe {}\n", kVersion));
  }
  const auto settings = read(*arguments);
  if (!settings) {
    complain(machine, settings.error().line());
    return code(ExitCode::usage);
  }
  if (const auto fit = check_environment(machine); !fit) {
    complain(machine, fit.error().line());
    return code(ExitCode::usage);
  }
  return perform(*settings, machine);
}

}  // namespace

void complain(const Machine& machine, const std::string& line) {
  print(machine.err, "oomprobe: " + line + "\n");
}

bool print(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

int run_program(std::span<const std::string> arguments, const Machine& machine) {
  const std::string name = arguments.empty() ? "" : arguments.front();
  if (name == "--help" || name == "-h" || name == "help") {
    return show(machine, overview());
  }
  if (name == "--version") {
    return show(machine, fmt::format("oomprobe {}\n", kVersion));
  }
  const auto known = commands();
  const auto rest = arguments.empty() ? arguments : arguments.subspan(1);
  if (name == known[0].name) return dispatch(known[0], rest, machine, read_run, run);
  if (name == known[1].name) return dispatch(known[1], rest, machine, read_watch, watch);
  if (name == known[2].name) return dispatch(known[2], rest, machine, read_snapshot, snapshot);
  if (name == known[3].name) return dispatch(known[3], rest, machine, read_doctor, doctor);
  if (name == known[4].name) return dispatch(known[4], rest, machine, read_recover, recover);
  complain(machine, (name.empty() ? std::string("no command was given")
                                  : "'" + name + "' is no command of oomprobe") +
                        "; use run, watch, snapshot, doctor or recover, see oomprobe --help");
  return code(ExitCode::usage);
}

}  // namespace oomdrill::probe
