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

}  // namespace oomdrill
