#pragma once

#include <cstdint>
#include <limits>

#include "base/units.h"

namespace oomdrill::plan {

/// A steady rate cut into steps: one every 10 ms, or one a page where a page takes longer. The
/// bytes of a step are the difference of two points on the exact line, so that rounding never
/// adds up.
class Ramp {
 public:
  explicit Ramp(double bytes_per_second);

  /// When step `k` (from 1 on) is due.
  [[nodiscard]] Nanoseconds due(std::uint64_t k) const;
  /// floor(rate · due(k)); 1 MiB a step where the rate is infinite.
  [[nodiscard]] std::uint64_t bytes_by(std::uint64_t k) const;
  [[nodiscard]] double rate() const { return rate_; }

  /// Past this a plan stands still: no counter downstream can overflow.
  static constexpr std::uint64_t kMost = std::uint64_t{1} << 62;

 private:
  double rate_;
  Nanoseconds interval_;
};

}  // namespace oomdrill::plan
