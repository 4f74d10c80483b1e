#include "alarm/watch.h"

#include <algorithm>

namespace oomdrill::alarm {

WallTime Watch::stretched(WallTime at) const {
  if (stretch_ == 1 || !base_) return at;
  // The clock of a recording may have jumped by centuries.
  constexpr WallTime kLast = WallTime(std::chrono::sys_days(std::chrono::year(2262) / 1 / 1));
  const Nanoseconds after = from_seconds(to_seconds(at - *base_) * stretch_);
  return *base_ + std::clamp(after, WallTime() - *base_, kLast - *base_);
}

void Watch::note(const recording::Record& record) {
  if (record.event() == "drill.started" && !given_) {
    const double said = recording::stretch_of(record);
    mixed_ = mixed_ || (base_ && said != stretch_);
    if (!base_) stretch_ = said;
  }
  if (record.event().starts_with("drill.")) {
    account_.note(record);
    return;
  }
  if (!base_) base_ = record.time();
  if (record.event() == "memory.sample" || record.event() == "leak.progress") {
    // The curve is series_'s, and nearly all of a recording.
    if (!account_.probe || !account_.probe->limit_bytes) {
      curve_limit_bytes_ = record.whole("limit_bytes");
    }
  } else {
    account_.note(record);
  }
  const WallTime at = stretched(record.time());
  begin_ = begin_ ? std::min(*begin_, at) : at;
  end_ = end_ ? std::max(*end_, at) : at;
  // A forecast that the probe does not trust itself: the metric filter of deploy/terraform leaves
  // it out, too. A container that fills up as it starts would look like a leak.
  if (record.event() == "memory.growth" && record.text("confidence") == "unknown") return;
  series_.note(
      record.event(), std::chrono::floor<seconds>(at),
      [&](std::string_view member) {
        auto value = record.real(member);
        // Seconds, not bytes a second.
        if (value && member.ends_with("_s") && !member.ends_with("_per_s")) *value *= stretch_;
        return value;
      },
      [&](std::string_view member) { return record.boolean(member); });
}

void Watch::next_recording() {
  if (const auto origin = account_.origin()) {
    const WallTime at = stretched(*origin);
    origin_ = origin_ ? std::min(*origin_, at) : at;
  }
  std::optional<WallTime> kill;
  if (!account_.kills.empty()) {
    kill = account_.kills.front().time;
  } else if (account_.exited && account_.exited->verdict == "oom_killed") {
    kill = account_.exited->time;
  }
  if (kill) kill = stretched(*kill);
  const bool first = kill && (!kill_ || *kill < *kill_);
  if (first) kill_ = kill;
  if (first || !kill_) {
    if (!account_.kills.empty() && account_.kills.front().limit_bytes) {
      limit_bytes_ = account_.kills.front().limit_bytes;
    } else if (account_.probe && account_.probe->limit_bytes) {
      limit_bytes_ = account_.probe->limit_bytes;
    } else if (curve_limit_bytes_) {
      limit_bytes_ = curve_limit_bytes_;
    } else if (account_.usage && account_.usage->limit_bytes) {
      limit_bytes_ = account_.usage->limit_bytes;
    }
    told_ = std::move(account_);
  }
  account_ = {};
  curve_limit_bytes_.reset();
}

std::optional<Incident> Watch::incident() const {
  if (!begin_) return std::nullopt;
  return Incident{*begin_, origin_.value_or(*begin_), *end_, kill_, limit_bytes_};
}

}  // namespace oomdrill::alarm
