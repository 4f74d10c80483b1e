#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "recording/runs.h"

namespace oomdrill::trend {

/// What the lives of several workloads have in common.
struct Restarts {
  std::size_t runs = 0;
  std::size_t killed = 0;  ///< ended by an OOM kill
  std::size_t other = 0;   ///< ended otherwise
  /// Of those killed, from their start to their end.
  std::optional<double> median_life_s = {};
  double shortest_s = 0;
  double longest_s = 0;
  /// Their lives are alike, within a fifth: a leak that runs at its own pace. Else it follows the
  /// load. Absent below three.
  std::optional<bool> regular = {};
};

Restarts restarts_of(const std::vector<recording::Run>& runs);

/// A week against the one before.
struct Week {
  std::int64_t begin_s;  ///< its Monday, since the epoch
  std::uint64_t samples;
  std::uint64_t median_bytes;
  std::uint64_t p99_bytes;
  std::uint64_t peak_bytes;
  std::uint64_t kills;
  std::optional<double> change_percent;  ///< of the median, against the last week with samples
};

std::vector<Week> weeks_of(const recording::Runs& runs);

}  // namespace oomdrill::trend
