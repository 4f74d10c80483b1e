#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/options.h"

namespace oomdrill::simulator {

/// One option of glibc's malloc that the environment sets.
struct Tunable {
  std::string name;   ///< "arena_max"
  std::string value;  ///< that the loader goes by: "0x1"; empty where it could not be asked
};

/// Out of GLIBC_TUNABLES and the older MALLOC_ARENA_MAX and its like; their values are the
/// loader's own (ld.so --list-tunables, glibc 2.33). Runs a process where any is set.
std::vector<Tunable> glibc_tunables(const Environment& environment);

/// Names of malloc's tunables in "glibc.malloc.arena_max=1:glibc.malloc.check=3".
std::vector<std::string> malloc_tunables_in(std::string_view text);

/// The value of glibc.malloc.`name` in the loader's list; empty where it is not there.
std::string value_in_list(std::string_view list, std::string_view name);

}  // namespace oomdrill::simulator
