#include "recording/time.h"

namespace oomdrill::recording {

std::optional<WallTime> parse_time(std::string_view text) {
  std::size_t at = 0;
  bool valid = true;
  const auto number = [&](std::size_t width) {
    unsigned value = 0;
    for (std::size_t i = 0; i < width; ++i, ++at) {
      if (at >= text.size() || text[at] < '0' || text[at] > '9') {
        valid = false;
        return 0U;
      }
      value = value * 10 + static_cast<unsigned>(text[at] - '0');
    }
    return value;
  };
  const auto expect = [&](char c) {
    if (at >= text.size() || text[at] != c) valid = false;
    ++at;
  };
  const auto year = number(4);
  expect('-');
  const auto month = number(2);
  expect('-');
  const auto day = number(2);
  expect('T');
  const auto hour = number(2);
  expect(':');
  const auto minute = number(2);
  expect(':');
  const auto second = number(2);
  if (!valid) return std::nullopt;
  Nanoseconds fraction{0};
  if (at < text.size() && text[at] == '.') {
    ++at;
    const std::size_t first = at;
    std::int64_t unit = 100'000'000;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10) {
      fraction += Nanoseconds((text[at] - '0') * unit);
    }
    if (at == first) return std::nullopt;
  }
  expect('Z');
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(month), std::chrono::day(day));
  // The range of 64-bit nanoseconds ends in 2262.
  if (!valid || at != text.size() || !date.ok() || year < 1970 || year > 2261 || hour > 23 ||
      minute > 59 || second > 60) {
    return std::nullopt;
  }
  return WallTime(std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(hour) +
                  std::chrono::minutes(minute) + std::chrono::seconds(second) + fraction);
}

}  // namespace oomdrill::recording
