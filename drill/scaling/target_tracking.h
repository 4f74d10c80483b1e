#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "alarm/evaluation.h"
#include "base/error.h"

/// Application Auto Scaling's target tracking on the service's average MemoryUtilization.
namespace oomdrill::scaling {

using std::chrono::seconds;

struct Policy {
  double target = 75;  ///< percent
  std::uint32_t least = 1;
  std::uint32_t most = 4;
  seconds cooldown_out{300};
  seconds cooldown_in{300};
  /// Below this part of the target it scales in. An assumption: AWS does not publish it.
  double low = 0.9;
};

/// "target=75,min=1,max=4,cooldown=300s"; what is left out is as in Policy.
/// Error: an unknown name, a value that is none, min above max.
Result<Policy> parse_policy(std::string_view text);

struct Action {
  alarm::Instant at;
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  double average = 0;  ///< the point that decided
};

/// The policy's two alarms, three minutes above and fifteen below, and what they do.
class TargetTracking {
 public:
  TargetTracking(const Policy& policy, std::uint32_t desired)
      : policy_(policy), desired_(desired) {}

  /// Once a minute, with the newest point that has been delivered (nullopt: missing) and the tasks
  /// that run. Scales out to ceil(running · average ÷ target), within the cooldown only beyond what
  /// was asked for already; scales in by a tenth, at least one task, and never while it is above.
  std::optional<Action> step(alarm::Instant at, std::optional<double> average,
                             std::uint32_t running);

  [[nodiscard]] std::uint32_t desired() const { return desired_; }

 private:
  [[nodiscard]] bool in_alarm(bool high) const;
  std::optional<Action> change(alarm::Instant at, std::uint32_t to, double average);

  Policy policy_;
  std::uint32_t desired_;
  std::vector<std::optional<double>> points_;  ///< oldest first
  std::optional<alarm::Instant> last_out_;
  std::optional<alarm::Instant> last_change_;
};

}  // namespace oomdrill::scaling
