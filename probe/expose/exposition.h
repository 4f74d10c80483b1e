#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "cgroup/sample.h"
#include "source/reading.h"
#include "telemetry/encoder.h"

namespace oomdrill::probe {

/// What a scraper is told: the state at the last look.
struct Exposed {
  const Reading* reading = nullptr;
  cgroup::Version version = cgroup::Version::v2;
  cgroup::Bytes reservation = std::nullopt;
  const telemetry::Context* context = nullptr;  ///< members: labels of oomprobe_target_info
  WallTime looked_at{};
  std::uint64_t oom_kills_told = 0;
  std::uint64_t events = 0;
  std::uint64_t dropped = 0;
  cgroup::Bytes rss = std::nullopt;
  double cpu_s = 0;
  std::string_view verdict = {};  ///< of a workload that has ended
  int exit_code = 0;
};

/// Longest text that write_exposition() makes of sensible names.
inline constexpr std::size_t kMostExposition = 16384;

/// Prometheus's text format, version 0.0.4, into `out`; does not allocate. What is not known has no
/// metric; a metric that does not fit is left out whole. Returns the size.
std::size_t write_exposition(const Exposed& state, std::span<char> out);

}  // namespace oomdrill::probe
