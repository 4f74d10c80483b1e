#include "scaling/target_tracking.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/units.h"

namespace oomdrill::scaling {
namespace {

constexpr std::uint32_t kHighPeriods = 3;
constexpr std::uint32_t kLowPeriods = 15;
constexpr std::size_t kKept = kLowPeriods + alarm::kExtraPoints;
constexpr std::uint64_t kMostTasks = 1'000'000;

Result<void> set(Policy& policy, std::string_view name, std::string_view value) {
  const auto tasks = [&](std::uint32_t& into) -> Result<void> {
    const auto count = parse_whole(value, 1, kMostTasks);
    if (!count) return fail(count.error());
    into = static_cast<std::uint32_t>(*count);
    return {};
  };
  if (name == "min") return tasks(policy.least);
  if (name == "max") return tasks(policy.most);
  if (name == "target") {
    const std::string text(value);
    const auto target = parse_percent(text.ends_with('%') ? text : text + "%");
    if (!target) return fail(target.error());
    policy.target = *target;
    return {};
  }
  if (name == "cooldown") {
    const auto cooldown = parse_duration(value);
    if (!cooldown) return fail(cooldown.error());
    policy.cooldown_out = policy.cooldown_in = std::chrono::ceil<seconds>(*cooldown);
    return {};
  }
  return fail(fmt::format("'{}' is no setting", name), {},
              "write target=75,min=1,max=4,cooldown=300s");
}

}  // namespace

Result<Policy> parse_policy(std::string_view text) {
  Policy policy;
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    text = item.size() == text.size() ? "" : text.substr(item.size() + 1);
    const std::size_t equals = std::min(item.find('='), item.size());
    const std::string_view value = equals == item.size() ? "" : item.substr(equals + 1);
    if (auto done = set(policy, item.substr(0, equals), value); !done) return fail(done.error());
  }
  if (policy.least > policy.most) {
    return fail(fmt::format("min={} is above max={}", policy.least, policy.most));
  }
  return policy;
}

bool TargetTracking::in_alarm(bool high) const {
  std::vector<alarm::Judged> judged;
  const double threshold = high ? policy_.target : policy_.target * policy_.low;
  for (const auto& point : points_) {
    judged.push_back(point ? alarm::Judged(high ? *point > threshold : *point < threshold)
                           : std::nullopt);
  }
  const std::uint32_t periods = high ? kHighPeriods : kLowPeriods;
  const std::size_t range = periods + alarm::kExtraPoints;
  const std::size_t from = judged.size() > range ? judged.size() - range : 0;
  std::vector<alarm::Judged> newest(judged.begin() + static_cast<std::ptrdiff_t>(from),
                                    judged.end());
  // Before the service had points they are missing.
  newest.insert(newest.begin(), range - newest.size(), std::nullopt);
  return alarm::decide(newest, periods, periods, alarm::Missing::missing) == alarm::State::alarm;
}

std::optional<Action> TargetTracking::change(alarm::Instant at, std::uint32_t to, double average) {
  const Action action{at, desired_, to, average};
  if (to > desired_) last_out_ = at;
  last_change_ = at;
  desired_ = to;
  return action;
}

std::optional<Action> TargetTracking::step(alarm::Instant at, std::optional<double> average,
                                           std::uint32_t running) {
  if (points_.size() == kKept) points_.erase(points_.begin());
  points_.push_back(average);
  if (!average || running == 0) return std::nullopt;
  const double wanted = std::ceil(running * *average / policy_.target);
  const auto proposed =
      static_cast<std::uint32_t>(std::clamp<double>(wanted, policy_.least, policy_.most));
  if (in_alarm(true)) {
    const bool cooling = last_out_ && at < *last_out_ + policy_.cooldown_out;
    // Within the cooldown tasks that were asked for count as there: only more than that is new.
    const std::uint32_t base = cooling ? std::max(desired_, running) : desired_;
    if (proposed > base) return change(at, proposed, *average);
    return std::nullopt;
  }
  if (in_alarm(false) && !(last_change_ && at < *last_change_ + policy_.cooldown_in)) {
    const std::uint32_t by = std::max(1U, desired_ / 10);
    const std::uint32_t to =
        std::max({policy_.least, proposed, desired_ > by ? desired_ - by : policy_.least});
    if (to < desired_) return change(at, to, *average);
  }
  return std::nullopt;
}

}  // namespace oomdrill::scaling
