#include "plan/plan.h"

#include <algorithm>
#include <cmath>

#include "random.h"

namespace oomdrill::plan {

std::uint64_t growth(const Action& action) {
  if (const auto* grow = std::get_if<Grow>(&action)) return grow->bytes;
  if (const auto* allocate = std::get_if<Allocate>(&action)) {
    return allocate->count * allocate->block_bytes;
  }
  return 0;
}

SampledPositions::SampledPositions(const FreeSampled& rule, std::uint64_t total)
    : total_(total),
      count_(std::min(rule.count, total)),
      exponent_(1.0 / static_cast<double>(std::max<std::uint64_t>(1, rule.sample))),
      random_(rule.seed) {}

std::optional<std::uint64_t> SampledPositions::next() {
  if (drawn_ == count_) return std::nullopt;
  // The least of n uniform draws has the distribution 1 - (1 - x)^n. One draw from each of `count`
  // equal parts of it: in ascending order, without a list to sort.
  Random random(random_);
  const double share = (static_cast<double>(drawn_) + random.unit()) / static_cast<double>(count_);
  random_ = random.state();
  const double at = static_cast<double>(total_) * (1 - std::pow(1 - share, exponent_));
  // No position twice, and enough left for the rest.
  const std::uint64_t most = total_ - (count_ - drawn_);
  const std::uint64_t position =
      std::clamp(static_cast<std::uint64_t>(std::max(0.0, at)), least_, most);
  ++drawn_;
  least_ = position + 1;
  return position;
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
  } else if (const auto* sampled = std::get_if<FreeSampled>(&step.action)) {
    const auto it = groups_.find(sampled->group);
    if (it == groups_.end()) return;
    const std::uint64_t freed = std::min(sampled->count, it->second.count);
    live_ -= freed * it->second.block_bytes;
    it->second.count -= freed;
    if (it->second.count == 0) groups_.erase(it);
  }
}

}  // namespace oomdrill::plan
