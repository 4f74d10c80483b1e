#pragma once

#include <string>

namespace oomdrill::probe {

/// Keeps what this process touches in memory: under page-cache thrash at the limit a 10 ms loop
/// stalled 119–190 ms without, 0.1–0.5 ms with it (facts.md, 3). Empty where it worked, else one
/// line: why not, what follows, what to do. Call it when everything is set up: with a tight
/// RLIMIT_MEMLOCK later growth could fail.
std::string lock_memory();

}  // namespace oomdrill::probe
