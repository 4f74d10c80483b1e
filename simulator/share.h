#pragma once

#include <cstdint>
#include <memory>

#include "plan/plan.h"

namespace oomdrill::simulator {

/// One worker's part of a plan that `of` workers carry out together, `part` from 0 on. Bytes are
/// split at the plan's own curve, so that the parts add up to it, and never drift from it.
std::unique_ptr<plan::Plan> share(std::unique_ptr<plan::Plan> plan, std::uint64_t part,
                                  std::uint64_t of);

/// The same of one amount.
std::uint64_t share(std::uint64_t amount, std::uint64_t part, std::uint64_t of);

}  // namespace oomdrill::simulator
