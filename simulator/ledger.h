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
  ~Ledger();

  /// Asked after at most kSlice written bytes; false ends the step where it is.
  using KeepGoing = std::function<bool()>;
  static constexpr std::uint64_t kSlice = std::uint64_t{1} << 20;

  /// Carries a step out, at most to `most` live bytes. Error: the kernel gave no memory; what was
  /// written before counts. Allocate and FreeMost need a kind with small blocks.
  Result<void> apply(const plan::Action& action, std::uint64_t most, const KeepGoing& keep_going);

  /// Releases every block.
  void release_all();

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
  void wrote(std::uint64_t bytes);

  memory::Memory* memory_;
  const memory::Kind* kind_;
  std::deque<memory::Block> grown_;  ///< oldest first
  std::map<std::uint32_t, Group> groups_;
  std::uint64_t live_ = 0;
  std::uint64_t allocated_ = 0;
  std::uint64_t to_shrink_ = 0;  ///< less than the oldest block, which cannot be divided
};

}  // namespace oomdrill::simulator
