#pragma once

#include <cstdint>
#include <map>

#include "plan/plan.h"

namespace oomdrill::predict {

/// What the steps of a plan cost the cgroup in which leaksim carries them out. Pages of Grow cost
/// what they hold (leaksim sets their page tables off); blocks live in glibc's heap, which rounds
/// them up, never shrinks below a survivor, and fills the holes between survivors if a block fits.
class Footprint {
 public:
  void apply(const plan::Step& step);
  [[nodiscard]] std::uint64_t bytes() const;

 private:
  struct Group {
    std::uint64_t count = 0;
    std::uint64_t chunk = 0;
  };
  void allocate(const plan::Allocate& blocks);
  void free_most(const plan::FreeMost& rule);

  std::uint64_t grown_ = 0;
  std::uint64_t heap_ = 0;  ///< bytes ever taken from the top of the heap
  std::map<std::uint32_t, Group> groups_;
  std::map<std::uint64_t, std::uint64_t> holes_;  ///< how many, by size
};

}  // namespace oomdrill::predict
