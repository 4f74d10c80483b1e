#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/options.h"
#include "base/units.h"

namespace oomdrill::simulator {

struct Settings {
  std::string pattern;           ///< for plan::make_plan, with what flags say of it
  std::string pattern_origin;    ///< "--pattern", "--phase" or a variable, for errors
  std::string kind;              ///< empty: what suits the pattern
  std::string until;             ///< as given
  std::optional<Amount> target;  ///< of --until; nullopt: until the OOM kill
  bool hold = false;
  std::optional<Nanoseconds> duration;
  std::optional<std::uint64_t> max_bytes;
  std::uint64_t seed = 1;
  Nanoseconds report_every{0};  ///< zero: only start and end
  std::string format;
  bool allow_unlimited = false;
  Nanoseconds ecs_timeout{0};
};

extern const Command kCommand;

/// Error: a usage error; it names the option or variable.
Result<Settings> read_settings(const Arguments& arguments);

}  // namespace oomdrill::simulator
