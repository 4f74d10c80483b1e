#include "memory/content.h"

#include <cstring>

namespace oomdrill::memory {

void Content::fill(std::span<std::byte> memory) {
  // splitmix64: its words do not depend on each other, so a CPU computes several at once.
  std::uint64_t state = state_;
  const auto next = [&state] {
    std::uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  };
  std::byte* at = memory.data();
  std::size_t left = memory.size();
  for (; left >= sizeof(std::uint64_t); left -= sizeof(std::uint64_t)) {
    const std::uint64_t word = next();
    std::memcpy(at, &word, sizeof word);
    at += sizeof word;
  }
  if (left > 0) {
    const std::uint64_t word = next();
    std::memcpy(at, &word, left);
  }
  state_ = state;
}

}  // namespace oomdrill::memory
