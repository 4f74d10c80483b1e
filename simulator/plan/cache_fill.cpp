#include <array>

#include "patterns.h"
#include "polyline.h"
#include "settings.h"

namespace oomdrill::plan {
namespace {

class CacheFill final : public Polyline {
 public:
  CacheFill(std::uint64_t fill, double rate, double leak)
      : fill_(fill), leak_(leak), filled_(from_seconds(static_cast<double>(fill) / rate)) {}

 private:
  std::optional<Corner> corner() override {
    if (!full_) {
      full_ = true;
      if (filled_ == Nanoseconds::max()) return std::nullopt;
      return Corner{filled_, fill_};
    }
    ++hours_;
    const double seconds = 3600.0 * static_cast<double>(hours_);
    if (filled_ > Nanoseconds::max() - std::chrono::hours(hours_)) return std::nullopt;
    const double bytes = static_cast<double>(fill_) + leak_ * seconds;
    if (bytes >= 0x1p62) return std::nullopt;
    return Corner{filled_ + std::chrono::hours(hours_), static_cast<std::uint64_t>(bytes)};
  }

  std::uint64_t fill_;
  double leak_;
  Nanoseconds filled_;
  bool full_ = false;
  std::int64_t hours_ = 0;
};

constexpr std::array kParameters = {
    Parameter{"fill", "SIZE", "32MiB", "of the cache"},
    Parameter{"rate", "RATE", "16MB/s", "at which the cache fills"},
    Parameter{"leak", "RATE", "100kB/s", "of the growth when it is full"}};

Result<std::unique_ptr<Plan>> make(const Settings& settings, std::uint64_t) {
  const auto fill = read_setting(settings, kParameters[0], parse_some_bytes);
  if (!fill) return fail(fill.error());
  const auto rate = read_setting(settings, kParameters[1], parse_finite_rate);
  if (!rate) return fail(rate.error());
  const auto leak = read_setting(settings, kParameters[2], parse_finite_rate);
  if (!leak) return fail(leak.error());
  return std::make_unique<CacheFill>(*fill, *rate, *leak);
}

}  // namespace

constinit const Pattern kCacheFill = {
    .name = "cache-fill",
    .help = "fills fast to a size, then leaks slowly: what a warm-up hides from a growth alarm",
    .parameters = kParameters,
    .needs_blocks = false,
    .ends = false,
    .make = make};

}  // namespace oomdrill::plan
