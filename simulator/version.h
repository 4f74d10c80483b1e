#pragma once

#include <string_view>

namespace oomdrill::simulator {

inline constexpr std::string_view kVersion = OOMDRILL_VERSION;

}  // namespace oomdrill::simulator
