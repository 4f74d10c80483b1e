#pragma once

#include <cstdint>
#include <optional>

#include "plan/plan.h"

namespace oomdrill::plan {

/// A curve of straight lines between corners, cut into steps of Grow and Shrink: one every 10 ms,
/// or one a page where a page takes longer, and one at each corner. Each step's bytes are the
/// difference of two points on the line, so that rounding never adds up.
class Polyline : public Plan {
 public:
  std::optional<Step> next() final;
  [[nodiscard]] std::optional<double> nominal_rate() const override { return std::nullopt; }

 protected:
  struct Corner {
    Nanoseconds at;
    std::uint64_t bytes;
  };
  /// The next corner; the first line begins with 0 bytes at time 0. Two corners at one time are a
  /// jump. nullopt, or a time before the last one's: the plan ends.
  virtual std::optional<Corner> corner() = 0;

 private:
  [[nodiscard]] Corner next_tick() const;

  Corner from_{Nanoseconds(0), 0};
  Corner to_{Nanoseconds(0), 0};
  Corner now_{Nanoseconds(0), 0};
};

}  // namespace oomdrill::plan
