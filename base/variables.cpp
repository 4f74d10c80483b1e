#include <algorithm>

#include "base/options.h"

namespace oomdrill {
namespace {

/// Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> edits(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t k = 0; k <= b.size(); ++k) {
      if (i == 0 || k == 0) {
        edits[i][k] = i + k;
        continue;
      }
      edits[i][k] = std::min({edits[i - 1][k] + 1, edits[i][k - 1] + 1,
                              edits[i - 1][k - 1] + (a[i - 1] == b[k - 1] ? 0 : 1)});
      if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1]) {
        edits[i][k] = std::min(edits[i][k], edits[i - 2][k - 2] + 1);
      }
    }
  }
  return edits[a.size()][b.size()];
}

/// docker --link and Kubernetes set these in every container beside a service of that name.
bool is_of_a_service(std::string_view rest) {
  return rest == "PORT" || rest.starts_with("PORT_") || rest == "NAME" ||
         rest.starts_with("ENV_") || rest.starts_with("SERVICE_");
}

}  // namespace

Result<void> check_variables(std::span<const Command> commands, const char* const* environment,
                             std::span<const std::string_view> others, std::size_t edits) {
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
    if (distance(*nearest, name) > edits) continue;
    return fail("no option has this variable", std::string(name),
                "the nearest is " + *nearest + "; see " + std::string(commands.front().program) +
                    " --help");
  }
  return {};
}

}  // namespace oomdrill
