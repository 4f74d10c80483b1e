#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/units.h"

namespace oomdrill::simulator {

/// What --expect asserts of a run.
enum class Expect {
  oom,      ///< a worker is OOM-killed
  survive,  ///< all end by themselves or by a signal to leaksim, and nothing is OOM-killed
  plateau   ///< they survive, and the usage levels off
};

std::string_view name(Expect expect);
/// Error: unknown; it lists the known ones.
Result<Expect> parse_expect(std::string_view text);

/// The usage of a run of any length in fixed space, evenly spaced.
class Curve {
 public:
  void add(Nanoseconds elapsed, std::uint64_t used);
  /// When the next reading is wanted.
  [[nodiscard]] Nanoseconds next() const { return next_; }
  [[nodiscard]] std::uint64_t peak() const { return peak_; }
  /// By how much the highest reading of the last third is above that of the time before: 0 for a
  /// run that has levelled off, and for a sawtooth that has come to its height. nullopt: too few.
  [[nodiscard]] std::optional<std::uint64_t> late_growth() const;

 private:
  static constexpr std::size_t kCapacity = 256;
  static constexpr std::size_t kLeast = 9;
  std::array<std::uint64_t, kCapacity> highest_{};  ///< of each interval
  std::size_t size_ = 0;
  Nanoseconds interval_ = std::chrono::milliseconds(20);
  Nanoseconds next_{0};
  std::uint64_t peak_ = 0;
};

/// How a run ended, as its parent saw it.
struct Ending {
  std::uint64_t oom_kills = 0;        ///< of workers
  std::uint64_t other_oom_kills = 0;  ///< in the same cgroup
  std::uint64_t unknown_kills = 0;    ///< by SIGKILL, where the kernel shows no OOM counter
  std::uint64_t killed = 0;           ///< by SIGKILL, and not by the OOM killer
  int failure = 0;                    ///< the first exit code other than 0; 128 + a signal
  std::optional<std::uint64_t> late_growth = {};
  std::uint64_t peak = 0;
  std::optional<std::uint64_t> limit = {};

  /// "oom_killed", "killed", "failed" or "survived".
  [[nodiscard]] std::string_view outcome() const;
};

enum class Verdict { met, unmet, unjudged };
std::string_view name(Verdict verdict);

/// A plateau may rise by 1 % of the limit, or of the peak where there is none.
Verdict judge(Expect expect, const Ending& ending);

}  // namespace oomdrill::simulator
