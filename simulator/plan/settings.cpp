#include "settings.h"

#include <cmath>

namespace oomdrill::plan {
namespace {

constexpr std::uint64_t kLargest = std::uint64_t{1} << 60;
constexpr Nanoseconds kShortest = std::chrono::milliseconds(1);
constexpr Nanoseconds kLongest = std::chrono::hours(24 * 36525);

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  auto size = parse_bytes(text);
  if (size && *size > kLargest) {
    return fail(quoted(text) + " is larger than any memory", {}, "write it as 512MiB");
  }
  return size;
}

Result<std::uint64_t> parse_some_bytes(std::string_view text) {
  auto size = parse_size(text);
  if (size && *size == 0) {
    return fail(quoted(text) + " would never grow", {}, "give a size above 0, such as 64MiB");
  }
  return size;
}

Result<double> parse_finite_rate(std::string_view text) {
  auto rate = parse_rate(text);
  if (rate && std::isinf(*rate)) {
    return fail(quoted(text) + " has no timetable", {}, "give a rate, such as 1GB/s");
  }
  return rate;
}

Result<Nanoseconds> parse_some_time(std::string_view text) {
  auto time = parse_duration(text);
  if (time && *time < kShortest) return fail(quoted(text) + " is shorter than 1ms");
  if (time && *time > kLongest) return fail(quoted(text) + " is longer than 100 years");
  return time;
}

Result<double> parse_share(std::string_view text, double most) {
  if (text == "0" || text == "0%") return 0.0;
  const auto percent = parse_percent(text);
  if (!percent) return fail(percent.error());
  if (*percent > most * 100) {
    return fail(quoted(text) + " is out of range", {}, fmt::format("give 0% to {}%", most * 100));
  }
  return *percent / 100;
}

}  // namespace oomdrill::plan
