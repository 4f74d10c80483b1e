#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "plan/plan.h"

namespace oomdrill::predict {

/// Where glibc's malloc would put the blocks of a plan, without a byte of them allocated: chunks
/// side by side, holes that join their neighbours and take the next block that fits best, and a top
/// that is given back to the kernel.
///
/// It costs 24 bytes a chunk and about 100 ns a block. `scale` simulates one block of so many.
class HeapModel {
 public:
  explicit HeapModel(std::uint64_t scale = 1) : scale_(scale) {}

  void allocate(const plan::Allocate& blocks);
  void free_most(const plan::FreeMost& rule);
  void free_sampled(const plan::FreeSampled& rule);

  /// That the heap holds of the kernel, written or not.
  [[nodiscard]] std::uint64_t bytes() const { return resident_ * scale_; }
  /// Blocks that were allocated or freed so far: what this has cost.
  [[nodiscard]] std::uint64_t operations() const { return operations_; }

 private:
  using Index = std::uint32_t;
  static constexpr Index kNone = UINT32_MAX;
  struct Chunk {
    std::uint32_t bytes;
    Index before = kNone;  ///< by address
    Index after = kNone;
    /// In its group's list, or in the list of the holes of its size.
    Index next = kNone;
    Index previous = kNone;  ///< of a hole
    bool is_hole = false;
  };
  struct List {
    Index first = kNone;
    Index last = kNone;
  };
  struct Group {
    List blocks;
    std::uint64_t count = 0;
    std::uint64_t owed = 0;  ///< blocks that are less than one of `scale`
  };

  Index take(std::uint32_t bytes);
  Index take_from_top(std::uint32_t bytes);
  void release(Index chunk);
  Index make_chunk(std::uint32_t bytes);
  void drop(Index chunk) { unused_.push_back(chunk); }
  void add_hole(Index chunk);
  void remove_hole(Index chunk);
  /// Frees those of the group, in allocation order, of which `keep(index)` is false.
  template <class Keep>
  void thin_out(std::uint32_t id, Keep keep);

  std::uint64_t scale_;
  std::vector<Chunk> chunks_;
  std::vector<Index> unused_;
  std::map<std::uint32_t, List> holes_;  ///< by size, the one that was freed first in front
  std::map<std::uint32_t, Group> groups_;
  Index last_ = kNone;          ///< the chunk below the top
  std::uint64_t end_ = 0;       ///< where the top begins
  std::uint64_t resident_ = 0;  ///< end of what was written and not given back
  std::uint64_t operations_ = 0;
};

}  // namespace oomdrill::predict
