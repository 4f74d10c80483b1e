#include "predict/footprint.h"

#include <algorithm>
#include <variant>

namespace oomdrill::predict {
namespace {

/// glibc's malloc on 64 bit: 8 bytes before each block, multiples of 16, at least 32.
constexpr std::uint64_t chunk_of(std::uint64_t block) {
  return std::max<std::uint64_t>(32, (block + 8 + 15) / 16 * 16);
}

}  // namespace

std::uint64_t Footprint::bytes() const {
  // 4 KiB of page table for each 2 MiB of the heap.
  return grown_ + heap_ + heap_ / 512;
}

void Footprint::apply(const plan::Step& step) {
  if (const auto* grow = std::get_if<plan::Grow>(&step.action)) {
    grown_ += grow->bytes;
  } else if (const auto* shrink = std::get_if<plan::Shrink>(&step.action)) {
    grown_ -= std::min(grown_, shrink->bytes);
  } else if (const auto* blocks = std::get_if<plan::Allocate>(&step.action)) {
    allocate(*blocks);
  } else if (const auto* rule = std::get_if<plan::FreeMost>(&step.action)) {
    free_most(*rule);
  }
}

void Footprint::allocate(const plan::Allocate& blocks) {
  const std::uint64_t chunk = chunk_of(blocks.block_bytes);
  Group& group = groups_[blocks.group];
  group.count += blocks.count;
  group.chunk = chunk;
  std::uint64_t left = blocks.count;
  // Best fit, as glibc: the smallest hole that takes a block.
  for (auto hole = holes_.lower_bound(chunk); left > 0 && hole != holes_.end();
       hole = holes_.lower_bound(chunk)) {
    const std::uint64_t size = hole->first;
    const std::uint64_t fit = size / chunk;
    const std::uint64_t whole = std::min(hole->second, left / fit);
    // Whole holes first; the last one takes fewer blocks than would fit.
    const std::uint64_t holes = whole > 0 ? whole : 1;
    const std::uint64_t taken = whole > 0 ? fit : left;
    left -= holes * taken;
    if ((hole->second -= holes) == 0) holes_.erase(hole);
    if (const std::uint64_t rest = size - taken * chunk; rest > 0) holes_[rest] += holes;
  }
  heap_ += left * chunk;
}

void Footprint::free_most(const plan::FreeMost& rule) {
  const auto it = groups_.find(rule.group);
  if (it == groups_.end() || rule.keep_every < 2) return;
  const Group group = it->second;
  const std::uint64_t freed = group.count - plan::kept(group.count, rule);
  // Neighbours join: one hole between two survivors.
  const std::uint64_t between = rule.keep_every - 1;
  if (freed / between > 0) holes_[between * group.chunk] += freed / between;
  if (freed % between > 0) ++holes_[freed % between * group.chunk];
  // A group is freed once; its survivors stay where they are.
  groups_.erase(it);
}

}  // namespace oomdrill::predict
