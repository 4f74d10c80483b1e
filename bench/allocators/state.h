#pragma once

#include <atomic>
#include <cstdint>

namespace oomdrill::bench {

/// In a mapped file that survives the kill of its writer. The parent of the sample makes it, so
/// that it is not charged to the sample's cgroup; read with struct.unpack("<6Q").
struct State {
  std::atomic<std::uint64_t> live;       ///< bytes written and not freed
  std::atomic<std::uint64_t> allocated;  ///< bytes, ever
  std::atomic<std::uint64_t>
      operations;  ///< blocks (or slices of 1 MiB of one) written, and blocks freed
  std::atomic<std::uint64_t> peak;       ///< of live, as of the last progress()
  std::atomic<std::uint64_t> rss_start;  ///< bytes resident before the first block
  std::atomic<std::uint64_t> served;     ///< 1: malloc is served by the library that was asked for
};

/// There is one writer at a time, so a load and a store are enough.
inline void add(std::atomic<std::uint64_t>& counter, std::uint64_t amount) {
  counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}
inline void subtract(std::atomic<std::uint64_t>& counter, std::uint64_t amount) {
  counter.store(counter.load(std::memory_order_relaxed) - amount, std::memory_order_relaxed);
}

}  // namespace oomdrill::bench
