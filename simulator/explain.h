#pragma once

#include <string>

#include "base/options.h"
#include "memory/memory.h"

namespace oomdrill::simulator {

extern const Command kExplain;

/// What a kind of memory is, and what each observer shows of it, in prose. The figures come from
/// the observers' own formulas.
std::string explain(const memory::Choice& choice);

}  // namespace oomdrill::simulator
