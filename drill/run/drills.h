#pragma once

#include <span>
#include <string>
#include <string_view>

#include "run/summary.h"

namespace oomdrill::run {

/// A drill with a name: an incident of production on a scale of seconds, and what it teaches.
struct NamedDrill {
  std::string_view name;
  std::string_view help;
  std::string_view memory;
  std::string_view interval;
  /// A second of the drill counts as so many for alarms.
  double stretch;
  std::string_view expect;
  /// `arguments` are a command; the word "leaksim" is replaced by the program's path.
  bool own_workload;
  std::span<const std::string_view> arguments;
  /// One sentence out of what was measured, without its full stop.
  std::string (*learnt)(const Drill& drill);
};

/// The one table.
std::span<const NamedDrill> named_drills();

/// Error: there is none of that name; it lists them.
Result<const NamedDrill*> find_drill(std::string_view name);

}  // namespace oomdrill::run
