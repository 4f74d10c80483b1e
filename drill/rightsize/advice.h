#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "recording/runs.h"
#include "rightsize/fargate.h"
#include "trend/classify.h"

namespace oomdrill::rightsize {

enum class Verdict : std::uint8_t { keep, shrink, grow, fix_the_leak, too_little };
std::string_view name(Verdict verdict);
/// For people: "fix the leak".
std::string_view words(Verdict verdict);
/// "0.188 GiB of memory, 137.2 GiB-hours a month of 730 h", of either sign.
std::string gib_hours(double gib);

/// What one workload (all runs of one container) should be given.
struct Advice {
  std::string who;
  std::uint64_t samples = 0;
  double hours = 0;  ///< that were recorded
  std::uint64_t p50_bytes = 0;
  std::uint64_t p95_bytes = 0;
  std::uint64_t p99_bytes = 0;
  std::uint64_t peak_bytes = 0;
  std::optional<std::uint64_t> limit_bytes = {};
  std::optional<std::uint64_t> reservation_bytes = {};
  std::uint64_t kills = 0;  ///< survived ones, too

  Verdict verdict = Verdict::too_little;
  std::string why;
  std::uint64_t memory_bytes = 0;   ///< recommended hard limit
  std::uint64_t reserve_bytes = 0;  ///< recommended memoryReservation
  std::optional<FargateSize> fargate = {};
  /// The limit less the recommendation, in GiB, which is GiB-hours an hour: saved, negative where
  /// more is needed. Absent where nothing is to be changed.
  std::optional<double> saved_gib_per_hour = {};
};

struct Margin {
  double percent = 25;  ///< above the peak
  bool fargate = false;
  std::uint32_t cpu = 0;
};

/// One a workload, in the order of the runs.
std::vector<Advice> advise(const recording::Runs& runs, const Margin& margin);

}  // namespace oomdrill::rightsize
