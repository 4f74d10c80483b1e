#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "cgroup/limit.h"
#include "detect/finding.h"
#include "source/reading.h"
#include "source/source.h"
#include "supervise/victims.h"
#include "telemetry/event.h"

/// The fields that several events share, under the names of docs/events.md.
namespace oomdrill::probe {

/// To so many decimals: a line that holds 85.90087890625 pays for digits that mean nothing.
double rounded(double value, int decimals);
/// `bytes` in percent of the limit, as events tell it.
std::optional<double> percent(const Reading& reading, std::uint64_t bytes);

/// limit_bytes, limit_source, limit_complete.
void add_limit(telemetry::Event& event, const cgroup::EffectiveLimit& limit);
/// limits_considered: the least of each source, or "max".
void add_considered(telemetry::Event& event, const cgroup::EffectiveLimit& limit);
/// used_bytes, limit_bytes, used_percent, headroom_bytes.
void add_usage(telemetry::Event& event, const Reading& reading);
/// Everything that a sample tells, the three metrics with it.
void add_sample(telemetry::Event& event, const Reading& reading, cgroup::Version version,
                cgroup::Bytes reservation);
/// What the counters rose by; those that are absent before or after add no field.
void add_deltas(telemetry::Event& event, const cgroup::Counters& before,
                const cgroup::Counters& after);
void add_counters(telemetry::Event& event, std::string_view name, const cgroup::Counters& counters);

/// victim, also_killed, victims_unknown. `victims` and `pids` outlive the encoding.
using PidTexts = std::array<ShortText<12>, Victims::kMost>;
void add_victims(telemetry::Event& event, const Victims& victims, std::uint64_t kills,
                 PidTexts& pids);

/// The ECS agent's MemoryUtilization: used MiB, truncated, in percent of the limit, or of the
/// reservation where there is no limit.
std::optional<double> memory_utilization(const Reading& reading, cgroup::Version version,
                                         cgroup::Bytes reservation);

}  // namespace oomdrill::probe
