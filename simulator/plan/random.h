#pragma once

#include <cstdint>

namespace oomdrill::plan {

/// splitmix64: the same numbers from a seed on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  /// In [0, limit); the modulo's bias is of no account for a limit ≪ 2^64.
  std::uint64_t below(std::uint64_t limit) { return next() % limit; }
  /// In [0, 1).
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  /// Mean 0, variance 1: the sum of 12 uniform draws, which needs no libm and so is alike
  /// everywhere. Never beyond ±6.
  double normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += unit();
    return sum;
  }
  [[nodiscard]] std::uint64_t state() const { return state_; }

 private:
  std::uint64_t state_;
};

}  // namespace oomdrill::plan
