#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

/// The one parser of sizes, rates, durations and percentages, and their formatter.
///
/// Sizes are SI (`kB MB GB TB`) or IEC (`KiB MiB GiB TiB`), case-insensitive in the prefix, with
/// an optional fraction; a bare number is bytes. `M`, `K`, `G` alone are refused: docker reads
/// them as IEC, ECS and SI tools do not.
namespace oomdrill {

using Nanoseconds = std::chrono::nanoseconds;

/// "512MiB", "1MB", "1.5GiB", "4096" → bytes.
Result<std::uint64_t> parse_bytes(std::string_view text);

/// A size that may refer to a limit.
struct Amount {
  enum class Kind { bytes, percent_of_limit, headroom };
  Kind kind = Kind::bytes;
  std::uint64_t bytes = 0;  ///< for `bytes` and `headroom` (distance below the limit)
  double percent = 0;       ///< for `percent_of_limit`, in (0, 100]

  /// In bytes. Error: it refers to a limit and there is none, or the headroom exceeds it.
  [[nodiscard]] Result<std::uint64_t> resolve(std::optional<std::uint64_t> limit) const;
};

/// "90%", "512MiB", "50MiB-headroom".
Result<Amount> parse_amount(std::string_view text);

/// "75%" → 75.0. Error outside (0, 100].
Result<double> parse_percent(std::string_view text);

/// "1MB/s", "64KiB/s", "100MB/min", "1GB/h"; a bare size is per second; "max" is infinity.
/// Bytes a second, > 0.
Result<double> parse_rate(std::string_view text);

/// "500ms", "30s", "10m", "2h", "1.5s"; "0" and "0s" are zero; a bare number is seconds.
Result<Nanoseconds> parse_duration(std::string_view text);

/// A whole number in decimal within [least, most].
Result<std::uint64_t> parse_whole(std::string_view text, std::uint64_t least = 0,
                                  std::uint64_t most = UINT64_MAX);

/// IEC with one decimal: "61.3 MiB", "512 B".
std::string format_bytes(std::uint64_t bytes);
/// SI, as rates are asked for: "1.00 MB/s".
std::string format_rate(double bytes_per_second);
/// "61.2 s", "3 min 20 s", "450 ms".
std::string format_duration(Nanoseconds duration);

inline double to_seconds(Nanoseconds d) { return std::chrono::duration<double>(d).count(); }
/// Saturates instead of overflowing, so that an infinite time stays representable.
Nanoseconds from_seconds(double seconds);

}  // namespace oomdrill
