#include <array>
#include <cmath>

#include "patterns.h"
#include "polyline.h"
#include "settings.h"

namespace oomdrill::plan {
namespace {

class Staircase final : public Polyline {
 public:
  Staircase(std::uint64_t step, Nanoseconds dwell, double rate)
      : step_(step),
        dwell_(dwell),
        climb_(std::isinf(rate) ? Nanoseconds(0) : from_seconds(static_cast<double>(step) / rate)) {
  }

  [[nodiscard]] std::optional<double> nominal_rate() const override {
    return static_cast<double>(step_) / (to_seconds(dwell_) + to_seconds(climb_));
  }

 private:
  std::optional<Corner> corner() override {
    const Nanoseconds part = up_ ? dwell_ : climb_;
    if (at_ > Nanoseconds::max() - part) return std::nullopt;
    at_ += part;
    if (!up_) bytes_ += step_;
    up_ = !up_;
    return Corner{at_, bytes_};
  }

  std::uint64_t step_;
  Nanoseconds dwell_;
  Nanoseconds climb_;
  Nanoseconds at_{0};
  std::uint64_t bytes_ = 0;
  bool up_ = false;
};

constexpr std::array kParameters = {
    Parameter{"step", "SIZE", "16MiB", "height of each step"},
    Parameter{"dwell", "TIME", "30s", "rest on each step"},
    Parameter{"rate", "RATE", "max", "at which a step is climbed; max: at once"}};

Result<std::unique_ptr<Plan>> make(const Settings& settings, std::uint64_t) {
  const auto step = read_setting(settings, kParameters[0], parse_some_bytes);
  if (!step) return fail(step.error());
  const auto dwell = read_setting(settings, kParameters[1], parse_some_time);
  if (!dwell) return fail(dwell.error());
  const auto rate = read_setting(settings, kParameters[2], parse_rate);
  if (!rate) return fail(rate.error());
  return std::make_unique<Staircase>(*step, *dwell, *rate);
}

}  // namespace

constinit const Pattern kStaircase = {
    .name = "staircase",
    .help = "climbs a step, rests on it, and climbs the next: what each deployment or batch adds",
    .parameters = kParameters,
    .needs_blocks = false,
    .ends = false,
    .make = make};

}  // namespace oomdrill::plan
