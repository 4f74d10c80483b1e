#pragma once

#include <cstdint>

#include "plan/plan.h"
#include "predict/heap_model.h"

namespace oomdrill::predict {

/// What the steps of a plan cost the cgroup in which leaksim carries them out. Pages of Grow cost
/// what they hold (leaksim sets their page tables off); blocks live in glibc's heap.
class Footprint {
 public:
  /// `scale`: as HeapModel's.
  explicit Footprint(std::uint64_t scale = 1) : heap_(scale) {}

  void apply(const plan::Step& step);
  [[nodiscard]] std::uint64_t bytes() const;
  /// Blocks that were looked at: what this has cost.
  [[nodiscard]] std::uint64_t operations() const { return heap_.operations(); }

 private:
  std::uint64_t grown_ = 0;
  HeapModel heap_;
};

}  // namespace oomdrill::predict
