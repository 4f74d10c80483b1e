#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/units.h"

namespace oomdrill {

/// Wall-clock time in nanoseconds since the Unix epoch.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Nanoseconds>;

/// Every part takes its time from here, so that a test owns it.
class Clock {
 public:
  virtual ~Clock() = default;
  /// CLOCK_MONOTONIC since an arbitrary origin.
  [[nodiscard]] virtual Nanoseconds now() const = 0;
  [[nodiscard]] virtual WallTime wall() const = 0;
  /// Returns at `deadline` (on now()'s scale), or earlier when a signal handler ran.
  virtual void sleep_until(Nanoseconds deadline) = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Nanoseconds now() const override;
  [[nodiscard]] WallTime wall() const override;
  void sleep_until(Nanoseconds deadline) override;
};

/// Time that moves only when told: sleep_until() jumps to its deadline.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start = WallTime(std::chrono::seconds(1'700'000'000)))
      : start_(start) {}
  [[nodiscard]] Nanoseconds now() const override { return now_; }
  [[nodiscard]] WallTime wall() const override { return start_ + now_; }
  void sleep_until(Nanoseconds deadline) override {
    if (deadline > now_) now_ = deadline;
  }
  void advance(Nanoseconds by) { now_ += by; }

 private:
  WallTime start_;
  Nanoseconds now_{0};
};

/// RFC 3339 in UTC with milliseconds, "2026-11-24T11:04:34.123Z": 24 characters into `out`.
void format_time(WallTime time, char (&out)[25]);

/// Such a text, with any number of fractional digits; nullopt for anything else.
std::optional<WallTime> parse_time(std::string_view text);

}  // namespace oomdrill
