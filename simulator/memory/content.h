#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace oomdrill::memory {

/// An endless pseudo-random stream: no two pages filled from it are alike, so neither KSM can
/// merge them nor zswap or zram compress them.
class Content {
 public:
  explicit Content(std::uint64_t seed) : state_(seed) {}
  void fill(std::span<std::byte> memory);

 private:
  std::uint64_t state_;
};

}  // namespace oomdrill::memory
