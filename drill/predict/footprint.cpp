#include "predict/footprint.h"

#include <algorithm>
#include <variant>

namespace oomdrill::predict {

std::uint64_t Footprint::bytes() const {
  // 4 KiB of page table for each 2 MiB of the heap.
  return grown_ + heap_.bytes() + heap_.bytes() / 512;
}

void Footprint::apply(const plan::Step& step) {
  if (const auto* grow = std::get_if<plan::Grow>(&step.action)) {
    grown_ += grow->bytes;
  } else if (const auto* shrink = std::get_if<plan::Shrink>(&step.action)) {
    grown_ -= std::min(grown_, shrink->bytes);
  } else if (const auto* blocks = std::get_if<plan::Allocate>(&step.action)) {
    heap_.allocate(*blocks);
  } else if (const auto* rule = std::get_if<plan::FreeMost>(&step.action)) {
    heap_.free_most(*rule);
  } else if (const auto* sampled = std::get_if<plan::FreeSampled>(&step.action)) {
    heap_.free_sampled(*sampled);
  }
}

}  // namespace oomdrill::predict
