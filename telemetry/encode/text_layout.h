#pragma once

#include <span>
#include <string_view>

namespace oomdrill::telemetry {

/// How an event reads for a human, as templates: `{field}` is the field's value by its unit,
/// `{object.field}` a nested one, and `@` what is used of the limit. `[…]` is left out where one
/// of its fields is absent; `[field=value:…]` also where the field has another value (nothing
/// behind `=`: is present), `[field!=value:…]` where it has that one or none.
struct Layout {
  std::string_view event;
  std::string_view mark;  ///< before the name: `!!` for what to look at now, `!` for what may come
  std::string_view text;
};

inline constexpr std::string_view kUsedPhrase =
    "[used {used_bytes}][ of {limit_bytes}][ ({used_percent})]";

/// The one table of layouts. An event that it lacks shows all its fields as name=value.
std::span<const Layout> layouts();

}  // namespace oomdrill::telemetry
