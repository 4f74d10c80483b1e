#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/options.h"
#include "base/units.h"
#include "container.h"
#include "expectation.h"
#include "memory/content.h"
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
  std::string allocator;         ///< as given; empty: whichever serves malloc
  std::string until;             ///< as given
  std::optional<Amount> target;  ///< of --until; nullopt: until the OOM kill
  Basis basis = Basis::current;  ///< what `target` is compared with
  Then then = Then::exit;
  std::uint64_t workers = 1;
  bool each = false;  ///< rate and sizes are every worker's own, and not all workers' together
  std::uint64_t restarts = 0;
  std::optional<Expect> expect;
  std::string content;  ///< as given
  memory::Filling filling;
  std::optional<double> touch_share;  ///< of the live bytes, a second
  std::optional<Nanoseconds> duration;
  std::optional<std::uint64_t> max_bytes;
  std::uint64_t seed = 1;
  Nanoseconds report_every{0};  ///< zero: only start and end
  std::string format;
  bool allow_unlimited = false;
  Nanoseconds ecs_timeout{0};

  /// By a parent process, which tells what becomes of it.
  [[nodiscard]] bool supervised() const { return workers > 1 || restarts > 0 || expect; }
};

extern const Command kCommand;

/// Error: a usage error; it names the option or variable.
Result<Settings> read_settings(const Arguments& arguments);

}  // namespace oomdrill::simulator
