#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/error.h"
#include "memory/content.h"

/// Kinds of memory: where the bytes of a leak live, and how the kernel accounts them.
namespace oomdrill::memory {

struct Block {
  std::uintptr_t handle = 0;  ///< the kind's own; an address where the kind says so
  std::uint64_t bytes = 0;
};

/// Memory of one kind, in use. Holds no list of its blocks: the ledger does.
class Memory {
 public:
  virtual ~Memory() = default;

  /// Room for at most `bytes` > 0, not written yet, so that it costs nothing so far; less where no
  /// more fits in a row, then the caller asks again. Error: the kernel has none.
  virtual Result<Block> reserve(std::uint64_t bytes) = 0;
  /// Writes unique content to [from, from + bytes) of a block: now it is charged.
  virtual Result<void> write(const Block& block, std::uint64_t from, std::uint64_t bytes) = 0;
  /// Gives a block back. Of a kind with `divisible` blocks also the front of one, oldest first.
  virtual void release(const Block& block) = 0;
};

struct Kind {
  std::string_view name;
  std::string_view help;  ///< one sentence
  /// Handles are addresses, and blocks that touch may be joined, and released from the front.
  bool divisible;
  /// Holds many small blocks that are released one by one, in any order. Their handles are
  /// addresses, and the ledger may keep a link in a block's first 8 bytes.
  bool small_blocks;
  /// Error: why this machine cannot.
  Result<void> (*supported)();
  std::unique_ptr<Memory> (*make)(Content content);
};

/// The one table.
std::span<const Kind> kinds();

/// Error: unknown; it lists the known ones.
Result<const Kind*> find_kind(std::span<const Kind> kinds, std::string_view name);

}  // namespace oomdrill::memory
