#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>

#include "base/error.h"
#include "memory/memory.h"
#include "plan/plan.h"

namespace oomdrill::simulator {

/// Owns every block of the leak. Its own memory: 16 bytes a Grow step where the kind's blocks are
/// not divisible, nothing where they are (they join), nothing a small block (the list of a group
/// runs through the blocks themselves), and about 100 bytes a group.
class Ledger {
 public:
  /// `memory` must outlive the ledger and be of `kind`.
  Ledger(memory::Memory& memory, const memory::Kind& kind) : memory_(&memory), kind_(&kind) {}
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;
  ~Ledger() { release_all(); }

  /// Asked after at most kSlice written bytes; false ends the step where it is.
  using KeepGoing = std::function<bool()>;
  static constexpr std::uint64_t kSlice = std::uint64_t{1} << 20;

  /// Carries a step out, at most to `most` live bytes. Error: the kernel gave no memory; what was
  /// written before counts. Allocate and FreeMost need a kind with small blocks.
  Result<void> apply(const plan::Action& action, std::uint64_t most, const KeepGoing& keep_going);

  /// Gives everything back. What is written later counts anew.
  void release_all();

  /// Uses the next `bytes` of the live ones once more, round and round from the oldest on; not
  /// more than all of them once. Returns how many were used.
  std::uint64_t touch(std::uint64_t bytes);

  /// Written and not released. Where the kind says that bytes are charges, what the cgroup is
  /// charged for them.
  [[nodiscard]] std::uint64_t live() const { return live_; }
  /// Ever written.
  [[nodiscard]] std::uint64_t allocated() const { return allocated_; }

 private:
  struct Group {
    std::uintptr_t first = 0;
    std::uintptr_t last = 0;
    std::uint64_t count = 0;
    std::uint64_t block_bytes = 0;
  };

  Result<void> grow(std::uint64_t bytes, const KeepGoing& keep_going);
  void shrink(std::uint64_t bytes);
  Result<void> allocate(const plan::Allocate& step, std::uint64_t most,
                        const KeepGoing& keep_going);
  void free_most(const plan::FreeMost& rule);
  void record(const memory::Block& block);
  std::uint64_t touch_grown(std::uint64_t bytes);
  std::uint64_t touch_groups(std::uint64_t bytes);
  void wrote(std::uint64_t bytes);

  memory::Memory* memory_;
  const memory::Kind* kind_;
  std::deque<memory::Block> grown_;  ///< oldest first
  std::map<std::uint32_t, Group> groups_;
  std::uint64_t live_ = 0;
  std::uint64_t allocated_ = 0;
  std::uint64_t to_shrink_ = 0;  ///< less than the oldest block, or granule, can give

  // Where touch() goes on: a block of grown_ and an offset in it, or, once past the last one, a
  // block of a group; its handle 0: the group's first.
  std::size_t touch_block_ = 0;
  std::uint64_t touch_offset_ = 0;
  std::uint32_t touch_group_ = 0;
  std::uintptr_t touch_small_ = 0;
};

}  // namespace oomdrill::simulator
