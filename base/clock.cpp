#include "base/clock.h"

#include <cstdint>
#include <ctime>

namespace oomdrill {
namespace {

Nanoseconds read_clock(clockid_t id) {
  timespec ts{};
  clock_gettime(id, &ts);
  return std::chrono::seconds(ts.tv_sec) + Nanoseconds(ts.tv_nsec);
}

}  // namespace

Nanoseconds SystemClock::now() const { return read_clock(CLOCK_MONOTONIC); }

WallTime SystemClock::wall() const { return WallTime(read_clock(CLOCK_REALTIME)); }

void SystemClock::sleep_until(Nanoseconds deadline) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(deadline);
  const timespec ts{.tv_sec = seconds.count(), .tv_nsec = (deadline - seconds).count()};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, nullptr);
}

void format_time(WallTime time, char (&out)[25]) {
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::milliseconds>(
      time.time_since_epoch() - days.time_since_epoch()));
  // Digits by hand: the probe's loop formats each event's time and must not allocate.
  const auto put = [&out](std::size_t at, std::size_t width, std::uint64_t value) {
    for (std::size_t i = width; i-- > 0; value /= 10)
      out[at + i] = static_cast<char>('0' + value % 10);
  };
  put(0, 4, static_cast<std::uint64_t>(static_cast<int>(date.year())));
  put(5, 2, static_cast<unsigned>(date.month()));
  put(8, 2, static_cast<unsigned>(date.day()));
  put(11, 2, static_cast<std::uint64_t>(clock.hours().count()));
  put(14, 2, static_cast<std::uint64_t>(clock.minutes().count()));
  put(17, 2, static_cast<std::uint64_t>(clock.seconds().count()));
  put(20, 3, static_cast<std::uint64_t>(clock.subseconds().count()));
  out[4] = out[7] = '-';
  out[10] = 'T';
  out[13] = out[16] = ':';
  out[19] = '.';
  out[23] = 'Z';
  out[24] = '\0';
}

std::optional<WallTime> parse_time(std::string_view text) {
  constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd";
  if (text.size() <= kForm.size()) return std::nullopt;
  // Once for each event of a recording: its digits are looked at all together.
  bool wrong = false;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    const auto digit = static_cast<unsigned>(text[i] - '0');
    wrong |= kForm[i] == 'd' ? digit > 9 : text[i] != kForm[i];
  }
  if (wrong) return std::nullopt;
  const auto two = [text](std::size_t at) {
    return static_cast<unsigned>((text[at] - '0') * 10 + (text[at + 1] - '0'));
  };
  const unsigned year = two(0) * 100 + two(2);
  const unsigned month = two(5);
  const unsigned day = two(8);
  const unsigned hour = two(11);
  const unsigned minute = two(14);
  const unsigned second = two(17);
  std::size_t at = kForm.size();
  Nanoseconds fraction{0};
  if (text[at] == '.') {
    ++at;
    const std::size_t first = at;
    std::int64_t unit = 100'000'000;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10) {
      fraction += Nanoseconds((text[at] - '0') * unit);
    }
    if (at == first) return std::nullopt;
  }
  if (text.substr(at) != "Z") return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(month), std::chrono::day(day));
  // The range of 64-bit nanoseconds ends in 2262.
  if (!date.ok() || year < 1970 || year > 2261 || hour > 23 || minute > 59 || second > 60) {
    return std::nullopt;
  }
  return WallTime(std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(hour) +
                  std::chrono::minutes(minute) + std::chrono::seconds(second) + fraction);
}

}  // namespace oomdrill
