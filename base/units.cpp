#include "base/units.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace oomdrill {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr double kKi = 1024;
constexpr std::array kSizeUnits = {Unit{"", 1},
                                   Unit{"b", 1},
                                   Unit{"kb", 1e3},
                                   Unit{"mb", 1e6},
                                   Unit{"gb", 1e9},
                                   Unit{"tb", 1e12},
                                   Unit{"kib", kKi},
                                   Unit{"mib", kKi* kKi},
                                   Unit{"gib", kKi* kKi* kKi},
                                   Unit{"tib", kKi* kKi* kKi* kKi}};
constexpr std::array kDurationUnits = {Unit{"", 1},      Unit{"ns", 1e-9}, Unit{"us", 1e-6},
                                       Unit{"ms", 1e-3}, Unit{"s", 1},     Unit{"m", 60},
                                       Unit{"min", 60},  Unit{"h", 3600},  Unit{"d", 86400}};

constexpr const char* kSizeHelp = "write it as 512MiB, 1MB or a bare number of bytes";

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool consume_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

/// Splits "1.5GiB" into its number and its lower-cased unit.
std::optional<std::pair<double, std::string>> split(std::string_view text) {
  double number = 0;
  const auto [rest, status] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (status != std::errc{} || !std::isfinite(number)) return std::nullopt;
  std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  return std::pair(number, lower(unit));
}

template <std::size_t N>
std::optional<double> scaled(std::string_view text, const std::array<Unit, N>& units) {
  const auto parts = split(text);
  if (!parts) return std::nullopt;
  for (const Unit& unit : units) {
    if (unit.name == parts->second) return parts->first * unit.factor;
  }
  return std::nullopt;
}

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

}  // namespace

Result<std::uint64_t> parse_bytes(std::string_view text) {
  const auto value = scaled(text, kSizeUnits);
  if (!value) return fail(quoted(text) + " is no size", {}, kSizeHelp);
  if (*value < 0) return fail(quoted(text) + " is negative", {}, kSizeHelp);
  // 2^63: the kernel's own counters are signed.
  if (*value >= 9.2e18) return fail(quoted(text) + " is larger than any memory", {}, kSizeHelp);
  return static_cast<std::uint64_t>(std::llround(*value));
}

Result<std::uint64_t> Amount::resolve(std::optional<std::uint64_t> limit) const {
  if (kind == Kind::bytes) return bytes;
  if (!limit) {
    return fail("it refers to a memory limit, and none was found", {},
                "give a size in bytes, or set a limit (docker run --memory=512m)");
  }
  if (kind == Kind::percent_of_limit) {
    return static_cast<std::uint64_t>(static_cast<double>(*limit) * percent / 100);
  }
  if (bytes >= *limit) {
    return fail("a headroom of " + format_bytes(bytes) + " leaves nothing of the limit of " +
                format_bytes(*limit));
  }
  return *limit - bytes;
}

Result<double> parse_percent(std::string_view text) {
  std::string_view number = text;
  const bool marked = consume_suffix(number, "%");
  const auto parts = split(number);
  if (!marked || !parts || !parts->second.empty()) {
    return fail(quoted(text) + " is no percentage", {}, "write it as 85%");
  }
  if (!(parts->first > 0 && parts->first <= 100)) {
    return fail(quoted(text) + " is out of range", {},
                "a percentage here is above 0% and at most 100%");
  }
  return parts->first;
}

Result<Amount> parse_amount(std::string_view text) {
  if (text.ends_with('%')) {
    const auto percent = parse_percent(text);
    if (!percent) return fail(percent.error());
    return Amount{Amount::Kind::percent_of_limit, 0, *percent};
  }
  std::string_view size = text;
  const bool headroom = consume_suffix(size, "-headroom");
  const auto bytes = parse_bytes(size);
  if (!bytes) {
    return fail(quoted(text) + " is no amount of memory", {},
                "write it as 90%, 512MiB or 50MiB-headroom");
  }
  return Amount{headroom ? Amount::Kind::headroom : Amount::Kind::bytes, *bytes, 0};
}

Result<double> parse_rate(std::string_view text) {
  if (text == "max") return std::numeric_limits<double>::infinity();
  std::string_view size = text;
  double seconds = 1;
  if (consume_suffix(size, "/min")) {
    seconds = 60;
  } else if (consume_suffix(size, "/h")) {
    seconds = 3600;
  } else {
    consume_suffix(size, "/s");
  }
  const auto value = scaled(size, kSizeUnits);
  if (!value) {
    return fail(quoted(text) + " is no rate", {}, "write it as 1MB/s, 64KiB/s, 100MB/min or max");
  }
  if (!(*value > 0)) {
    return fail(quoted(text) + " would never grow", {}, "a rate is above 0, such as 1MB/s");
  }
  return *value / seconds;
}

Result<Nanoseconds> parse_duration(std::string_view text) {
  const auto seconds = scaled(text, kDurationUnits);
  if (!seconds || text.empty()) {
    return fail(quoted(text) + " is no duration", {},
                "write it as 500ms, 30s, 10m or 2h; a bare number is seconds");
  }
  if (*seconds < 0) return fail(quoted(text) + " is negative", {}, "write it as 500ms, 30s or 10m");
  return from_seconds(*seconds);
}

Result<std::uint64_t> parse_whole(std::string_view text, std::uint64_t least, std::uint64_t most) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, status] = std::from_chars(text.data(), end, value);
  if (status != std::errc{} || rest != end || value < least || value > most) {
    return fail(fmt::format("'{}' is no whole number from {} to {}", text, least, most));
  }
  return value;
}

std::string format_bytes(std::uint64_t bytes) {
  static constexpr std::array kNames = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes) / kKi;
  std::size_t i = 0;
  while (value >= 1023.95 && i + 1 < kNames.size()) {
    value /= kKi;
    ++i;
  }
  return fmt::format("{:.1f} {}", value, kNames[i]);
}

std::string format_rate(double rate) {
  if (!std::isfinite(rate)) return "max";
  if (rate >= 1e9) return fmt::format("{:.2f} GB/s", rate / 1e9);
  if (rate >= 1e6) return fmt::format("{:.2f} MB/s", rate / 1e6);
  if (rate >= 1e3) return fmt::format("{:.2f} kB/s", rate / 1e3);
  return fmt::format("{:.0f} B/s", rate);
}

std::string format_duration(Nanoseconds duration) {
  const double seconds = to_seconds(duration);
  if (seconds < 1) return fmt::format("{:.0f} ms", seconds * 1e3);
  if (seconds < 120) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 7200) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

Nanoseconds from_seconds(double seconds) {
  // 2^63 ns rounded down to a double: past it the conversion is undefined.
  constexpr double kMost = 9.2e18;
  const double ns = seconds * 1e9;
  if (ns >= kMost) return Nanoseconds::max();
  if (ns <= -kMost) return Nanoseconds::min();
  return Nanoseconds(static_cast<std::int64_t>(std::llround(ns)));
}

}  // namespace oomdrill
