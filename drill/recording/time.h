#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"

namespace oomdrill::recording {

/// "2026-11-24T11:04:34.123Z", with any number of fractional digits; nullopt for anything else.
std::optional<WallTime> parse_time(std::string_view text);

}  // namespace oomdrill::recording
