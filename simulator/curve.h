#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/units.h"

namespace oomdrill::simulator {

/// What a plan would hold over time, without a byte allocated.
struct CurveRequest {
  std::string pattern;
  std::uint64_t seed = 1;
  std::optional<std::uint64_t> limit = {};      ///< it ends where it would hold more
  std::optional<std::uint64_t> until = {};      ///< growth ends where it holds as much
  std::optional<std::uint64_t> max_bytes = {};  ///< it never holds more
  bool hold = false;                            ///< goes on level after until or max_bytes
  Nanoseconds horizon{0};                       ///< it ends there at the latest
};

struct CurveEnd {
  enum class Reason { limit, until, max_bytes, plan_ended, horizon };
  Reason reason = Reason::horizon;
  Nanoseconds at{0};
  std::uint64_t live = 0;
  std::uint64_t peak = 0;
};

/// Called for each step with what is held from then on.
using OnStep = std::function<void(Nanoseconds at, std::uint64_t live)>;

/// Error: a pattern that cannot be made, or whose rate is max: it has no timetable.
Result<CurveEnd> trace_curve(const CurveRequest& request, const OnStep& on_step);

/// The curve in `width` columns, one character in 8 levels a cell, with the limit as a line. Two
/// lines below it the axis. Each column shows the most that is held in its time.
Result<std::string> plot_curve(const CurveRequest& request, const CurveEnd& end, std::size_t width);

}  // namespace oomdrill::simulator
