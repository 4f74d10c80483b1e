#include "pacer.h"

#include <cmath>

namespace oomdrill::simulator {
namespace {

/// More is taken in several goes: between them what has become too late is given up, and where
/// all steps are due at once there is no other end.
constexpr std::uint64_t kMostTogether = std::uint64_t{4} << 20;

}  // namespace

Pacer::Pacer(std::unique_ptr<plan::Plan> plan, std::unique_ptr<plan::Plan> nominal)
    : plan_(std::move(plan)),
      nominal_(std::move(nominal)),
      unpaced_(std::isinf(plan_->nominal_rate().value_or(0))),
      next_(plan_->next()),
      next_nominal_(nominal_->next()) {}

std::optional<Nanoseconds> Pacer::next_due() const {
  return next_ ? std::optional(next_->due) : std::nullopt;
}

std::optional<plan::Action> Pacer::take(Nanoseconds elapsed) {
  while (next_ && !unpaced_ && next_->due < elapsed - kPatience) {
    const std::uint64_t bytes = plan::growth(next_->action);
    if (bytes == 0) break;  // what frees memory is carried out, however late
    lost_ += bytes;
    next_ = plan_->next();
  }
  if (!next_ || next_->due > elapsed) return std::nullopt;
  plan::Action action = next_->action;
  next_ = plan_->next();
  if (auto* grow = std::get_if<plan::Grow>(&action)) {
    while (next_ && next_->due <= elapsed && grow->bytes < kMostTogether) {
      const auto* more = std::get_if<plan::Grow>(&next_->action);
      if (more == nullptr) break;
      grow->bytes += more->bytes;
      next_ = plan_->next();
    }
  }
  return action;
}

Account Pacer::account(Nanoseconds elapsed, std::uint64_t achieved) {
  if (unpaced_) return {.requested = achieved, .achieved = achieved};
  while (next_nominal_ && next_nominal_->due <= elapsed) {
    requested_.apply(*next_nominal_);
    last_due_ = next_nominal_->due;
    next_nominal_ = nominal_->next();
  }
  const std::uint64_t requested = requested_.allocated();
  const std::uint64_t settled = achieved + lost_;
  return {.requested = requested,
          .achieved = achieved,
          .debt = requested > settled ? requested - settled : 0,
          .lost = lost_,
          .last_due = last_due_};
}

}  // namespace oomdrill::simulator
