#pragma once

#include <algorithm>

#include "memory/memory.h"
#include "state.h"

namespace oomdrill::bench {

/// The heap, with each block counted as it is written and as it goes, where a kill cannot reach it.
class CountedMemory final : public memory::Memory {
 public:
  /// A large block is counted in pieces: that much may be written and not counted yet at a kill.
  static constexpr std::uint64_t kPiece = std::uint64_t{64} << 10;

  CountedMemory(memory::Memory& memory, State& state) : memory_(&memory), state_(&state) {}

  Result<memory::Block> reserve(std::uint64_t bytes) override { return memory_->reserve(bytes); }

  Result<void> write(const memory::Block& block, std::uint64_t from, std::uint64_t bytes) override {
    for (const std::uint64_t end = from + bytes; from < end;) {
      const std::uint64_t piece = std::min(kPiece, end - from);
      if (auto status = memory_->write(block, from, piece); !status) return status;
      from += piece;
      add(state_->live, piece);
      add(state_->allocated, piece);
    }
    add(state_->operations, 1);
    return {};
  }

  void release(const memory::Block& block) override {
    memory_->release(block);
    subtract(state_->live, block.bytes);
    add(state_->operations, 1);
  }

  // Not to be trimmed on the way: what comes back by itself is one of the figures.
  void reset() override {}

 private:
  memory::Memory* memory_;
  State* state_;
};

}  // namespace oomdrill::bench
