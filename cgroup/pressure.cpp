#include "pressure.h"

#include <charconv>
#include <cmath>
#include <optional>

#include "text.h"

namespace oomdrill::cgroup {
namespace {

std::optional<double> to_percent(std::string_view text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, status] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  if (status != std::errc{} || rest != end || !std::isfinite(value) || value < 0) {
    return std::nullopt;
  }
  return value;
}

/// "avg10=0.12 avg60=0.00 avg300=0.00 total=4711"
std::optional<Pressure::Line> parse_line(std::string_view rest) {
  std::optional<double> avg10;
  std::optional<double> avg60;
  std::optional<double> avg300;
  std::optional<std::uint64_t> total;
  while (!rest.empty()) {
    std::string_view value = cut(rest, ' ');
    const std::string_view key = cut(value, '=');
    if (key == "avg10") avg10 = to_percent(value);
    if (key == "avg60") avg60 = to_percent(value);
    if (key == "avg300") avg300 = to_percent(value);
    if (key == "total") total = to_number(value);
  }
  if (!avg10 || !avg60 || !avg300 || !total) return std::nullopt;
  return Pressure::Line{*avg10, *avg60, *avg300, *total};
}

}  // namespace

Result<Pressure> parse_pressure(std::string_view text, std::string_view where) {
  Pressure pressure;
  bool some = false;
  bool full = false;
  Lines lines(text);
  while (const auto line = lines.next()) {
    std::string_view rest = *line;
    const std::string_view kind = cut(rest, ' ');
    if (kind != "some" && kind != "full") continue;
    const auto values = parse_line(rest);
    if (!values) return fail_line(where, lines.number(), *line, "is no pressure");
    (kind == "some" ? pressure.some : pressure.full) = *values;
    (kind == "some" ? some : full) = true;
  }
  if (!some || !full) {
    return fail_line(where, lines.number(), text, "lacks a line of 'some' or of 'full'");
  }
  return pressure;
}

}  // namespace oomdrill::cgroup
