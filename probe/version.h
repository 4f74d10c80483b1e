#pragma once

#include <string_view>

namespace oomdrill::probe {

inline constexpr std::string_view kVersion = OOMDRILL_VERSION;

}  // namespace oomdrill::probe
