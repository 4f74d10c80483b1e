#include <array>
#include <cmath>

#include "patterns.h"
#include "polyline.h"
#include "ramp.h"
#include "random.h"
#include "settings.h"

namespace oomdrill::plan {
namespace {

class RandomWalk final : public Polyline {
 public:
  RandomWalk(double drift, std::uint64_t volatility, Nanoseconds step, std::uint64_t seed)
      : step_(step),
        mean_(drift * to_seconds(step)),
        deviation_(static_cast<double>(volatility) * std::sqrt(to_seconds(step))),
        random_(seed) {}

 private:
  std::optional<Corner> corner() override {
    if (at_ > Nanoseconds::max() - step_) return std::nullopt;
    at_ += step_;
    bytes_ = std::max(0.0, bytes_ + mean_ + deviation_ * random_.normal());
    if (bytes_ >= static_cast<double>(Ramp::kMost)) return std::nullopt;
    return Corner{at_, static_cast<std::uint64_t>(bytes_)};
  }

  Nanoseconds step_;
  double mean_;
  double deviation_;
  Random random_;
  Nanoseconds at_{0};
  double bytes_ = 0;
};

constexpr std::array kParameters = {
    Parameter{"drift", "RATE", "1MB/s", "of the growth in the long run; 0: none"},
    Parameter{"volatility", "SIZE", "2MiB", "standard deviation of a second's change"},
    Parameter{"step", "TIME", "500ms", "between two changes of direction"}};

Result<std::unique_ptr<Plan>> make(const Settings& settings, std::uint64_t seed) {
  const auto drift =
      read_setting(settings, kParameters[0], [](std::string_view text) -> Result<double> {
        return text == "0" ? Result<double>(0.0) : parse_finite_rate(text);
      });
  if (!drift) return fail(drift.error());
  const auto volatility = read_setting(settings, kParameters[1], parse_size);
  if (!volatility) return fail(volatility.error());
  const auto step = read_setting(settings, kParameters[2], parse_some_time);
  if (!step) return fail(step.error());
  if (*drift == 0 && *volatility == 0) {
    return fail("0 without drift would never grow", "volatility", "give a size such as 2MiB");
  }
  return std::make_unique<RandomWalk>(*drift, *volatility, *step, seed);
}

}  // namespace

constinit const Pattern kRandomWalk = {
    .name = "random-walk",
    .help = "goes up and down at random, and up in the long run: a leak under a changing load",
    .parameters = kParameters,
    .needs_blocks = false,
    .ends = false,
    .make = make};

}  // namespace oomdrill::plan
