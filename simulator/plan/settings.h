#pragma once

#include <string_view>

#include "plan/plan.h"

namespace oomdrill::plan {

/// The value of one of a pattern's parameters, or its default, through `parse`; an error names
/// the parameter.
template <class Parse>
auto read_setting(const Settings& settings, const Parameter& parameter, Parse parse)
    -> decltype(parse(std::string_view{})) {
  const auto it = settings.find(parameter.name);
  auto result =
      parse(it == settings.end() ? parameter.default_value : std::string_view(it->second));
  if (!result) return fail(std::move(result.error()).within(std::string(parameter.name)));
  return result;
}

}  // namespace oomdrill::plan
