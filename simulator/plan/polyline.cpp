#include "polyline.h"

#include <algorithm>
#include <cmath>

#include "ramp.h"

namespace oomdrill::plan {
namespace {

constexpr Nanoseconds kTick = std::chrono::milliseconds(10);
constexpr double kPage = 4096;

}  // namespace

Polyline::Corner Polyline::next_tick() const {
  const auto time = static_cast<double>((to_.at - from_.at).count());
  const double rise = static_cast<double>(to_.bytes) - static_cast<double>(from_.bytes);
  // A flat line has nothing to do before its end.
  const double page_time = rise == 0 ? time : std::abs(kPage / rise) * time;
  const auto tick = static_cast<double>(kTick.count());
  const double interval = std::ceil(std::max(page_time, tick) / tick) * tick;
  const double done = static_cast<double>((now_.at - from_.at).count());
  const double at = (std::floor(done / interval) + 1) * interval;
  if (at >= time) return to_;
  const double bytes = static_cast<double>(from_.bytes) + std::trunc(rise * (at / time));
  return {from_.at + Nanoseconds(static_cast<std::int64_t>(at)), static_cast<std::uint64_t>(bytes)};
}

std::optional<Step> Polyline::next() {
  if (now_.at == to_.at) {
    const auto corner = this->corner();
    if (!corner || corner->at < to_.at || corner->bytes > Ramp::kMost) return std::nullopt;
    from_ = now_;
    to_ = *corner;
  }
  const Corner then = to_.at == from_.at ? to_ : next_tick();
  const std::uint64_t before = now_.bytes;
  now_ = then;
  if (then.bytes < before) return Step{then.at, Shrink{before - then.bytes}};
  return Step{then.at, Grow{then.bytes - before}};
}

}  // namespace oomdrill::plan
