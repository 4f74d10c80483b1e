#include "patterns.h"

#include <algorithm>
#include <array>

#include "plan/plan.h"

namespace oomdrill::plan {
namespace {

const std::array kTable = {kLinear, kBurst, kFragment};

/// "a, b or c".
template <class Items>
std::string names(const Items& items) {
  std::string list;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) list += i + 1 == items.size() ? " or " : ", ";
    list += items[i].name;
  }
  return list;
}

bool has_parameter(const Pattern& pattern, std::string_view name) {
  return std::any_of(pattern.parameters.begin(), pattern.parameters.end(),
                     [name](const Parameter& parameter) { return parameter.name == name; });
}

}  // namespace

std::span<const Pattern> patterns() { return kTable; }

Result<Choice> parse_pattern(std::string_view text) {
  const std::string_view name = text.substr(0, text.find(':'));
  const auto* pattern = std::find_if(kTable.begin(), kTable.end(),
                                     [name](const Pattern& each) { return each.name == name; });
  if (pattern == kTable.end()) {
    return fail("unknown pattern '" + std::string(name) + "'", {}, "choose " + names(kTable));
  }
  Choice choice{pattern, {}};
  std::string_view rest = name.size() == text.size() ? "" : text.substr(name.size() + 1);
  while (!rest.empty()) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest = item.size() == rest.size() ? "" : rest.substr(item.size() + 1);
    const std::string_view key = item.substr(0, item.find('='));
    if (!has_parameter(*pattern, key)) {
      return fail("unknown parameter '" + std::string(key) + "'", std::string(name),
                  "choose " + names(pattern->parameters));
    }
    if (key.size() == item.size()) {
      return fail("parameter '" + std::string(key) + "' has no value", std::string(name),
                  "write " + std::string(key) + "=VALUE");
    }
    choice.settings.insert_or_assign(std::string(key), std::string(item.substr(key.size() + 1)));
  }
  return choice;
}

Result<std::unique_ptr<Plan>> make_plan(std::string_view text, const Settings& defaults,
                                        std::uint64_t seed) {
  auto choice = parse_pattern(text);
  if (!choice) return fail(choice.error());
  for (const auto& [name, value] : defaults) {
    if (has_parameter(*choice->pattern, name)) choice->settings.try_emplace(name, value);
  }
  auto plan = choice->pattern->make(choice->settings, seed);
  if (!plan) return fail(std::move(plan.error()).within(std::string(choice->pattern->name)));
  return plan;
}

}  // namespace oomdrill::plan
