#include <array>

#include "patterns.h"
#include "settings.h"

namespace oomdrill::plan {
namespace {

/// Quiet comes first, so that an observer has a baseline before the first block.
class Burst final : public Plan {
 public:
  Burst(std::uint64_t size, Nanoseconds interval) : size_(size), interval_(interval) {}

  std::optional<Step> next() override {
    if (due_ > Nanoseconds::max() - interval_) return std::nullopt;
    due_ += interval_;
    return Step{due_, Grow{size_}};
  }

  [[nodiscard]] std::optional<double> nominal_rate() const override {
    return static_cast<double>(size_) / to_seconds(interval_);
  }

 private:
  std::uint64_t size_;
  Nanoseconds interval_;
  Nanoseconds due_{0};
};

constexpr std::array kParameters = {
    Parameter{"size", "SIZE", "64MiB", "of each block"},
    Parameter{"interval", "DURATION", "10s", "from block to block, and before the first"}};

Result<std::unique_ptr<Plan>> make(const Settings& settings, std::uint64_t) {
  const auto size = read_setting(settings, kParameters[0], parse_bytes);
  if (!size) return fail(size.error());
  const auto interval = read_setting(settings, kParameters[1], parse_duration);
  if (!interval) return fail(interval.error());
  if (*size == 0) return fail("0 would never grow", "size", "give a size above 0, such as 64MiB");
  if (*interval < std::chrono::milliseconds(1)) {
    return fail("is shorter than 1ms", "interval", "for steady growth use --pattern linear");
  }
  return std::make_unique<Burst>(*size, *interval);
}

}  // namespace

constinit const Pattern kBurst = {
    .name = "burst",
    .help = "stays quiet, then grows by a whole block at once, and repeats",
    .parameters = kParameters,
    .needs_blocks = false,
    .make = make};

}  // namespace oomdrill::plan
