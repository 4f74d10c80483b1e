#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "recording/runs.h"
#include "trend/theil_sen.h"

/// Leak or not, from the curve of one run.
namespace oomdrill::trend {

enum class Pattern : std::uint8_t {
  too_short,  ///< nothing can be said
  plateau,
  page_cache,  ///< usage grows, and all of it can be taken back
  steady,
  burst,
  sawtooth,       ///< falls and comes back, each time a little higher
  fragmentation,  ///< what is resident stays while what lives falls
};
constexpr std::size_t kPatterns = 7;
std::string_view name(Pattern pattern);
/// The pattern in words: "steady leak".
std::string_view words(Pattern pattern);
/// "7 samples are too few: 8 are needed".
std::string too_few(std::uint64_t samples, std::uint64_t needed);

struct Trend {
  Pattern pattern = Pattern::too_short;
  std::string why;  ///< one sentence, without its full stop

  struct OfKind {
    recording::Kind kind;
    Slope slope;
    double first = 0;  ///< bytes
    double last = 0;
  };
  std::vector<OfKind> kinds;  ///< less_cache first
  /// The kind of memory that grows most, where it leaks: anon, shmem, kernel.
  std::optional<recording::Kind> grows = {};
  /// By which the limit is met: of the last half, or of the floor. Absent where it does not leak.
  std::optional<Slope> pace = {};
  struct Interval {
    double likely_s;
    double early_s;
    std::optional<double> late_s;  ///< absent: perhaps never
  };
  /// From the last sample on, of a run that lives.
  std::optional<Interval> to_oom = {};

  [[nodiscard]] bool leaks() const {
    return pattern == Pattern::steady || pattern == Pattern::burst ||
           pattern == Pattern::sawtooth || pattern == Pattern::fragmentation;
  }
};

Trend classify(const recording::Run& run);

}  // namespace oomdrill::trend
