#include "plan/plan.h"

#include <algorithm>

namespace oomdrill::plan {

std::uint64_t growth(const Action& action) {
  if (const auto* grow = std::get_if<Grow>(&action)) return grow->bytes;
  if (const auto* allocate = std::get_if<Allocate>(&action)) {
    return allocate->count * allocate->block_bytes;
  }
  return 0;
}

void Totals::apply(const Step& step) {
  if (const auto* grow = std::get_if<Grow>(&step.action)) {
    live_ += grow->bytes;
    grown_ += grow->bytes;
    allocated_ += grow->bytes;
  } else if (const auto* shrink = std::get_if<Shrink>(&step.action)) {
    const std::uint64_t bytes = std::min(shrink->bytes, grown_);
    live_ -= bytes;
    grown_ -= bytes;
  } else if (const auto* allocate = std::get_if<Allocate>(&step.action)) {
    Group& group = groups_[allocate->group];
    group.count += allocate->count;
    group.block_bytes = allocate->block_bytes;
    live_ += allocate->count * allocate->block_bytes;
    allocated_ += allocate->count * allocate->block_bytes;
  } else if (const auto* rule = std::get_if<FreeMost>(&step.action)) {
    const auto it = groups_.find(rule->group);
    if (it == groups_.end()) return;
    const std::uint64_t survivors = kept(it->second.count, *rule);
    live_ -= (it->second.count - survivors) * it->second.block_bytes;
    it->second.count = survivors;
    if (survivors == 0) groups_.erase(it);
  }
}

}  // namespace oomdrill::plan
