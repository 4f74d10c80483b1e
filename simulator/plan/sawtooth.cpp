#include <array>

#include "patterns.h"
#include "polyline.h"
#include "settings.h"

namespace oomdrill::plan {
namespace {

struct Shape {
  double rate;
  std::uint64_t grow;
  std::uint64_t floor;
  std::uint64_t leak;
};

class Sawtooth final : public Polyline {
 public:
  explicit Sawtooth(const Shape& shape) : shape_(shape), floor_(shape.floor) {}

  [[nodiscard]] std::optional<double> nominal_rate() const override { return shape_.rate; }

 private:
  std::optional<Corner> corner() override {
    if (peak_) {
      peak_ = false;
      floor_ += shape_.leak;
      return Corner{at_, bytes_ = floor_};
    }
    peak_ = true;
    const std::uint64_t top = floor_ + shape_.grow;
    climbed_ += top - bytes_;
    // Of all that was climbed, so that no rounding adds up.
    at_ = from_seconds(static_cast<double>(climbed_) / shape_.rate);
    if (at_ == Nanoseconds::max()) return std::nullopt;
    return Corner{at_, bytes_ = top};
  }

  Shape shape_;
  std::uint64_t floor_;
  std::uint64_t bytes_ = 0;
  std::uint64_t climbed_ = 0;
  Nanoseconds at_{0};
  bool peak_ = false;
};

constexpr std::array kParameters = {
    Parameter{"rate", "RATE", "4MB/s", "of the growth between two collections"},
    Parameter{"grow", "SIZE", "24MiB", "above the floor, then what is above it is released"},
    Parameter{"floor", "SIZE", "8MiB", "that the first collection leaves"},
    Parameter{"leak", "SIZE", "2MiB", "by which each collection leaves more than the one before"}};

Result<std::unique_ptr<Plan>> make(const Settings& settings, std::uint64_t) {
  const auto rate = read_setting(settings, kParameters[0], parse_finite_rate);
  if (!rate) return fail(rate.error());
  const auto grow = read_setting(settings, kParameters[1], parse_some_bytes);
  if (!grow) return fail(grow.error());
  const auto floor = read_setting(settings, kParameters[2], parse_size);
  if (!floor) return fail(floor.error());
  const auto leak = read_setting(settings, kParameters[3], parse_size);
  if (!leak) return fail(leak.error());
  if (*leak >= *grow) {
    return fail(format_bytes(*leak) + " is all that was grown", "leak",
                "give less than grow=" + format_bytes(*grow));
  }
  return std::make_unique<Sawtooth>(Shape{*rate, *grow, *floor, *leak});
}

}  // namespace

constinit const Pattern kSawtooth = {
    .name = "sawtooth",
    .help = "grows and falls back to a floor that rises: a garbage-collected heap that leaks",
    .parameters = kParameters,
    .needs_blocks = false,
    .ends = false,
    .make = make};

}  // namespace oomdrill::plan
