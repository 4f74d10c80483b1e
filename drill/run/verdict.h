#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "recording/account.h"
#include "run/engine.h"

namespace oomdrill::run {

/// How a workload ends, in the probe's words; `--expect` takes these and "any".
inline constexpr std::array<std::string_view, 8> kOutcomes = {
    "oom_killed", "completed", "failed",       "crashed",
    "killed",     "stopped",   "stop_timeout", "allocation_failed"};

/// What oomdrill itself saw, outside of the limited cgroup.
struct Outside {
  std::optional<Observation> before = {};
  std::optional<Observation> after = {};
  std::optional<int> status = {};  ///< waitpid's, of the probe (or of docker run)
  WallTime ended{};                ///< when it was read
  bool timed_out = false;          ///< --timeout was over and we stopped it
  std::string signal;              ///< we were sent it and passed it on

  /// OOM kills by the kernel's counter; nullopt where it could not be read.
  [[nodiscard]] std::optional<std::uint64_t> oom_kills() const;
};

/// certain: the probe's account and an outside witness agree.
/// likely: only one of them speaks. disputed: they contradict each other.
enum class Confidence { certain, likely, disputed };
std::string_view name(Confidence confidence);

struct Verdict {
  std::string outcome = "unknown";  ///< one of kOutcomes, or unknown
  Confidence confidence = Confidence::likely;
  std::string why;                         ///< the evidence in one clause
  std::vector<std::string> disagreements;  ///< one sentence each
};

/// What the drill itself concluded when it ended, where the recording says so; else derive() of the
/// probe's account alone.
Verdict recorded_verdict(const recording::Account& account);

/// Pure. Nothing is assumed: without an event and without a counter the outcome is unknown.
Verdict derive(const recording::Account& inside, const Outside& outside);

}  // namespace oomdrill::run
