#include <array>
#include <cmath>

#include "patterns.h"
#include "polyline.h"
#include "ramp.h"
#include "settings.h"

namespace oomdrill::plan {
namespace {

class Exponential final : public Polyline {
 public:
  Exponential(std::uint64_t from, Nanoseconds doubling) : from_(from), doubling_(doubling) {}

 private:
  /// Lines this short are within 1.5e-5 of the curve.
  static constexpr std::uint64_t kLines = 64;

  std::optional<Corner> corner() override {
    const std::uint64_t doublings = line_ / kLines;
    const std::uint64_t part = line_ % kLines;
    const auto each = static_cast<std::uint64_t>(doubling_.count());
    if (doublings > 62) return std::nullopt;
    const auto most = static_cast<std::uint64_t>(Nanoseconds::max().count());
    if (doublings + 1 > most / each) return std::nullopt;
    const std::uint64_t at = doublings * each + each * part / kLines;
    const double bytes = std::ldexp(static_cast<double>(from_), static_cast<int>(doublings)) *
                         std::exp2(static_cast<double>(part) / kLines);
    ++line_;
    if (bytes >= static_cast<double>(Ramp::kMost)) return std::nullopt;
    return Corner{Nanoseconds(static_cast<std::int64_t>(at)), static_cast<std::uint64_t>(bytes)};
  }

  std::uint64_t from_;
  Nanoseconds doubling_;
  std::uint64_t line_ = 0;
};

constexpr std::array kParameters = {
    Parameter{"from", "SIZE", "1MiB", "that is there at once"},
    Parameter{"doubling", "TIME", "30s", "in which it doubles, from 100ms on"}};

Result<std::unique_ptr<Plan>> make(const Settings& settings, std::uint64_t) {
  const auto from = read_setting(settings, kParameters[0], parse_some_bytes);
  if (!from) return fail(from.error());
  const auto doubling = read_setting(settings, kParameters[1], parse_some_time);
  if (!doubling) return fail(doubling.error());
  if (*doubling < std::chrono::milliseconds(100)) {
    return fail("is shorter than 100ms", "doubling", "for growth at once use --pattern burst");
  }
  return std::make_unique<Exponential>(*from, *doubling);
}

}  // namespace

constinit const Pattern kExponential = {
    .name = "exponential",
    .help = "doubles in equal times, as a retry storm or a queue that feeds itself",
    .parameters = kParameters,
    .needs_blocks = false,
    .ends = false,
    .make = make};

}  // namespace oomdrill::plan
