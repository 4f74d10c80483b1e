#include <array>

#include "patterns.h"
#include "random.h"
#include "settings.h"

namespace oomdrill::plan {
namespace {

/// Quiet comes first, so that an observer has a baseline before the first block.
class Burst final : public Plan {
 public:
  Burst(std::uint64_t size, Nanoseconds interval, double jitter, std::uint64_t seed)
      : size_(size), interval_(interval), jitter_(jitter), random_(seed) {}

  std::optional<Step> next() override {
    const Nanoseconds late_most = jitter_ == 0 ? Nanoseconds(0) : interval_ / 2;
    const Nanoseconds room = Nanoseconds::max() - interval_;
    if (on_time_ > room || late_most > room - on_time_) return std::nullopt;
    on_time_ += interval_;
    const double off = jitter_ == 0 ? 0 : jitter_ * (2 * random_.unit() - 1);
    const Nanoseconds late(static_cast<std::int64_t>(off * static_cast<double>(interval_.count())));
    return Step{on_time_ + late, Grow{size_}};
  }

  [[nodiscard]] std::optional<double> nominal_rate() const override {
    return static_cast<double>(size_) / to_seconds(interval_);
  }

  /// Beyond it a block could come before the one before it.
  static constexpr double kMostJitter = 0.5;

 private:
  std::uint64_t size_;
  Nanoseconds interval_;
  double jitter_;
  Random random_;
  Nanoseconds on_time_{0};
};

constexpr std::array kParameters = {
    Parameter{"size", "SIZE", "64MiB", "of each block"},
    Parameter{"interval", "TIME", "10s", "from block to block, and before the first"},
    Parameter{"jitter", "PERCENT", "0%",
              "of the interval, by which each block comes early or late, up to 50%; it does not "
              "add up"}};

Result<std::unique_ptr<Plan>> make(const Settings& settings, std::uint64_t seed) {
  const auto size = read_setting(settings, kParameters[0], parse_some_bytes);
  if (!size) return fail(size.error());
  const auto interval = read_setting(settings, kParameters[1], parse_duration);
  if (!interval) return fail(interval.error());
  const auto jitter = read_setting(settings, kParameters[2], [](std::string_view text) {
    return parse_share(text, Burst::kMostJitter);
  });
  if (!jitter) return fail(jitter.error());
  if (*interval < std::chrono::milliseconds(1)) {
    return fail("is shorter than 1ms", "interval", "for steady growth use --pattern linear");
  }
  return std::make_unique<Burst>(*size, *interval, *jitter, seed);
}

}  // namespace

constinit const Pattern kBurst = {
    .name = "burst",
    .help = "stays quiet, then grows by a whole block at once, and repeats",
    .parameters = kParameters,
    .needs_blocks = false,
    .ends = false,
    .make = make};

}  // namespace oomdrill::plan
