#pragma once

#include <span>
#include <string>

#include "memory/memory.h"

namespace oomdrill::simulator {

/// The text of --list-patterns.
std::string list_patterns();
/// The text of --list-kinds, with why this machine cannot.
std::string list_kinds(std::span<const memory::Kind> kinds);

}  // namespace oomdrill::simulator
