#include "patterns.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "phases.h"
#include "plan/plan.h"
#include "settings.h"

namespace oomdrill::plan {
namespace {

const std::array kTable = {kLinear,    kBurst,      kStaircase, kExponential, kSawtooth,
                           kCacheFill, kRandomWalk, kReplay,    kHold,        kFragment,
                           kComb,      kShift,      kLru};

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

/// What stands before the next `separator`, which `text` then begins behind; nullopt at its end.
std::optional<std::string_view> cut(std::optional<std::string_view>& text, char separator) {
  if (!text) return std::nullopt;
  const std::string_view item = text->substr(0, text->find(separator));
  text = item.size() == text->size() ? std::nullopt : std::optional(text->substr(item.size() + 1));
  return item;
}

Result<Choice> parse_one(std::string_view text) {
  std::optional<std::string_view> rest = text;
  const std::string_view name = *cut(rest, ':');
  const auto* pattern = std::find_if(kTable.begin(), kTable.end(),
                                     [name](const Pattern& each) { return each.name == name; });
  if (pattern == kTable.end()) {
    return fail("unknown pattern '" + std::string(name) + "'", {}, "choose " + names(kTable));
  }
  Choice choice{pattern, {}};
  if (rest && rest->empty()) rest.reset();
  while (const auto item = cut(rest, ',')) {
    const std::string_view key = item->substr(0, item->find('='));
    const bool is_for = key == kFor.name;
    if (!is_for && !has_parameter(*pattern, key)) {
      return fail(
          "unknown parameter '" + std::string(key) + "'", std::string(name),
          pattern->parameters.empty() ? "choose for" : "choose " + names(pattern->parameters));
    }
    if (key.size() == item->size()) {
      return fail("parameter '" + std::string(key) + "' has no value", std::string(name),
                  "write " + std::string(key) + "=VALUE");
    }
    const std::string_view value = item->substr(key.size() + 1);
    if (is_for) {
      const auto length = parse_some_time(value);
      if (!length) return fail(Error(length.error()).within("for").within(std::string(name)));
      choice.length = *length;
    } else {
      choice.settings.insert_or_assign(std::string(key), std::string(value));
    }
  }
  return choice;
}

/// Where an error lies: the pattern, and which one where there are several.
std::string place(std::span<const Choice> choices, std::size_t index) {
  const std::string name(choices[index].pattern->name);
  return choices.size() == 1 ? name : fmt::format("phase {}: {}", index + 1, name);
}

}  // namespace

std::span<const Pattern> patterns() { return kTable; }

Result<std::vector<Choice>> parse_pattern(std::string_view text) {
  std::vector<Choice> choices;
  std::optional<std::string_view> rest = text;
  while (const auto item = cut(rest, ';')) {
    auto choice = parse_one(*item);
    if (!choice) {
      const bool several = text.find(';') != std::string_view::npos;
      return fail(
          several ? std::move(choice.error()).within(fmt::format("phase {}", choices.size() + 1))
                  : choice.error());
    }
    choices.push_back(std::move(*choice));
  }
  return choices;
}

bool takes(std::span<const Choice> phases, std::string_view parameter) {
  return std::any_of(phases.begin(), phases.end(), [parameter](const Choice& choice) {
    return has_parameter(*choice.pattern, parameter) && !choice.settings.contains(parameter);
  });
}

std::string spell_out(std::string_view text, const Settings& defaults) {
  std::string out;
  std::optional<std::string_view> rest = text;
  while (const auto item = cut(rest, ';')) {
    if (!out.empty()) out += ';';
    out += *item;
    const auto choice = parse_one(*item);
    if (!choice) continue;
    const auto colon = item->find(':');
    std::string_view separator = colon == std::string_view::npos ? ":" : ",";
    if (colon + 1 == item->size()) separator = "";
    for (const auto& [name, value] : defaults) {
      if (!has_parameter(*choice->pattern, name) || choice->settings.contains(name)) continue;
      out += fmt::format("{}{}={}", separator, name, value);
      separator = ",";
    }
  }
  return out;
}

Result<std::unique_ptr<Plan>> make_plan(std::string_view text, const Settings& defaults,
                                        std::uint64_t seed) {
  auto choices = parse_pattern(text);
  if (!choices) return fail(choices.error());
  std::vector<Phase> phases;
  for (std::size_t i = 0; i < choices->size(); ++i) {
    Choice& choice = (*choices)[i];
    for (const auto& [name, value] : defaults) {
      if (has_parameter(*choice.pattern, name)) choice.settings.try_emplace(name, value);
    }
    // Two phases of one pattern are not to draw the same numbers.
    auto plan = choice.pattern->make(choice.settings, seed + i);
    if (!plan) return fail(std::move(plan.error()).within(place(*choices, i)));
    const bool last = i + 1 == choices->size();
    if (!last && !choice.length && !choice.pattern->ends) {
      return fail("has no end, and a phase follows it", place(*choices, i), "add for=TIME");
    }
    if ((choices->size() > 1 || choice.length) && std::isinf((*plan)->nominal_rate().value_or(0))) {
      return fail("rate max has no timetable that could end it", place(*choices, i),
                  "give a rate, such as rate=1GB/s");
    }
    phases.push_back({std::move(*plan), choice.length});
  }
  if (phases.size() == 1 && !phases.front().length) return std::move(phases.front().plan);
  return in_sequence(std::move(phases));
}

std::string list_patterns() {
  const auto line = [](const Parameter& parameter) {
    return fmt::format("  {}={} ({}): {}\n", parameter.name, parameter.value,
                       parameter.default_value.empty()
                           ? "required"
                           : "default " + std::string(parameter.default_value),
                       parameter.help);
  };
  std::string text;
  for (const Pattern& pattern : kTable) {
    text += fmt::format("{}: {}\n", pattern.name, pattern.help);
    for (const Parameter& parameter : pattern.parameters) text += line(parameter);
  }
  text += fmt::format("every pattern:\n  {}={}: {}\n", kFor.name, kFor.value, kFor.help);
  return text;
}

}  // namespace oomdrill::plan
