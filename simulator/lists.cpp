#include "lists.h"

#include <fmt/core.h>

#include "plan/plan.h"

namespace oomdrill::simulator {

std::string list_patterns() {
  std::string text;
  for (const plan::Pattern& pattern : plan::patterns()) {
    text += fmt::format("{}: {}\n", pattern.name, pattern.help);
    for (const plan::Parameter& parameter : pattern.parameters) {
      text += fmt::format("  {}={} (default {}): {}\n", parameter.name, parameter.value,
                          parameter.default_value, parameter.help);
    }
  }
  return text;
}

std::string list_kinds(std::span<const memory::Kind> kinds) {
  std::string text;
  for (const memory::Kind& kind : kinds) {
    text += fmt::format("{}: {}", kind.name, kind.help);
    if (const auto status = kind.supported({}); !status) {
      text += " (not here: " + status.error().line() + ")";
    }
    text += "\n";
    for (const plan::Parameter& parameter : kind.parameters) {
      text += fmt::format("  {}={} (default {}): {}\n", parameter.name, parameter.value,
                          parameter.default_value, parameter.help);
    }
  }
  return text;
}

}  // namespace oomdrill::simulator
