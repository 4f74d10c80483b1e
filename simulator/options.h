#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/options.h"
#include "base/units.h"
#include "container.h"
#include "plan/plan.h"

namespace oomdrill::simulator {

/// What follows the end of the growth.
enum class Then {
  exit,
  hold,     ///< keep the reading of the cgroup at the target
  release,  ///< give all memory back, and stay
  oom       ///< grow on, to the kill
};

std::string_view name(Then then);

struct Settings {
  std::string pattern;           ///< as given, "burst:size=64MiB"
  plan::Settings defaults;       ///< pattern parameters that have a flag of their own
  std::string kind;              ///< empty: what suits the pattern
  std::string until;             ///< as given
  std::optional<Amount> target;  ///< of --until; nullopt: until the OOM kill
  Basis basis = Basis::current;  ///< what `target` is compared with
  Then then = Then::exit;
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
