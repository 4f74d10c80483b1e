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

/// What patterns take: values that make sense, and whose sums cannot overflow.

/// A size; at most 1 EiB.
Result<std::uint64_t> parse_size(std::string_view text);
/// A size above 0.
Result<std::uint64_t> parse_some_bytes(std::string_view text);
/// A rate, and not "max".
Result<double> parse_finite_rate(std::string_view text);
/// A time from 1 ms to 100 years.
Result<Nanoseconds> parse_some_time(std::string_view text);
/// "20%" → 0.2, from 0 to `most`.
Result<double> parse_share(std::string_view text, double most);

}  // namespace oomdrill::plan
