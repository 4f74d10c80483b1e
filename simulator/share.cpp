#include "share.h"

#include <utility>

namespace oomdrill::simulator {
namespace {

class Share final : public plan::Plan {
 public:
  Share(std::unique_ptr<plan::Plan> plan, std::uint64_t part, std::uint64_t of)
      : plan_(std::move(plan)), part_(part), of_(of) {}

  std::optional<plan::Step> next() override {
    auto step = plan_->next();
    if (!step) return std::nullopt;
    if (auto* grow = std::get_if<plan::Grow>(&step->action)) {
      grow->bytes = split(grown_, grow->bytes);
    } else if (auto* shrink = std::get_if<plan::Shrink>(&step->action)) {
      shrink->bytes = split(shrunk_, shrink->bytes);
    } else if (auto* allocate = std::get_if<plan::Allocate>(&step->action)) {
      allocate->count = split(allocated_, allocate->count);
    }
    // What frees by a rule frees the same part of each worker's blocks.
    return step;
  }

  [[nodiscard]] std::optional<double> nominal_rate() const override {
    const auto rate = plan_->nominal_rate();
    return rate ? std::optional(*rate / static_cast<double>(of_)) : std::nullopt;
  }

 private:
  /// Of the amounts from `total` to `total + amount`.
  std::uint64_t split(std::uint64_t& total, std::uint64_t amount) const {
    const std::uint64_t before = share(total, part_, of_);
    total += amount;
    return share(total, part_, of_) - before;
  }

  std::unique_ptr<plan::Plan> plan_;
  std::uint64_t part_;
  std::uint64_t of_;
  std::uint64_t grown_ = 0;
  std::uint64_t shrunk_ = 0;
  std::uint64_t allocated_ = 0;
};

}  // namespace

std::unique_ptr<plan::Plan> share(std::unique_ptr<plan::Plan> plan, std::uint64_t part,
                                  std::uint64_t of) {
  if (of <= 1) return plan;
  return std::make_unique<Share>(std::move(plan), part, of);
}

std::uint64_t share(std::uint64_t amount, std::uint64_t part, std::uint64_t of) {
  // Never falls as the amount grows, and over all parts it is the amount.
  return amount / of + (amount % of > part ? 1 : 0);
}

}  // namespace oomdrill::simulator
