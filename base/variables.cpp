#include <algorithm>
#include <numeric>

#include "base/options.h"

namespace oomdrill {
namespace {

/// Levenshtein's distance: insertions, deletions and substitutions.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t k = 0; k < b.size(); ++k) {
      const std::size_t kept = diagonal + (a[i] == b[k] ? 0 : 1);
      diagonal = row[k + 1];
      row[k + 1] = std::min({kept, row[k] + 1, diagonal + 1});
    }
  }
  return row.back();
}

/// docker --link and Kubernetes set these in every container beside a service of that name.
bool is_of_a_service(std::string_view rest) {
  return rest == "PORT" || rest.starts_with("PORT_") || rest == "NAME" ||
         rest.starts_with("ENV_") || rest.starts_with("SERVICE_");
}

}  // namespace

Result<void> check_variables(std::span<const Command> commands, const char* const* environment,
                             std::span<const std::string_view> others) {
  if (environment == nullptr || commands.empty()) return {};
  std::vector<std::string> known(others.begin(), others.end());
  for (const Command& command : commands) {
    for (const Option& option : command.options) {
      known.push_back(environment_name(command, option));
    }
  }
  const std::string prefix = environment_name(commands.front(), Option{});
  for (; *environment != nullptr; ++environment) {
    const std::string_view entry = *environment;
    const auto equals = std::min(entry.find('='), entry.size());
    const std::string_view name = entry.substr(0, equals);
    if (!name.starts_with(prefix) || equals + 1 >= entry.size() ||
        is_of_a_service(name.substr(prefix.size())) ||
        std::find(known.begin(), known.end(), name) != known.end()) {
      continue;
    }
    const auto nearest = std::min_element(known.begin(), known.end(),
                                          [name](const std::string& a, const std::string& b) {
                                            return distance(a, name) < distance(b, name);
                                          });
    return fail("no option has this variable", std::string(name),
                "the nearest is " + *nearest + "; see " + std::string(commands.front().program) +
                    " --help");
  }
  return {};
}

}  // namespace oomdrill
