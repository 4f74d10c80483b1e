#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "plan/plan.h"

namespace oomdrill::plan {

struct Phase {
  std::unique_ptr<Plan> plan;
  std::optional<Nanoseconds> length;  ///< nullopt: as long as the plan has steps
};

/// One after the other, at least one. A phase begins when the length of the one before is over, or
/// with its last step where it has none. What a phase holds stays; its groups are its own.
std::unique_ptr<Plan> in_sequence(std::vector<Phase> phases);

}  // namespace oomdrill::plan
