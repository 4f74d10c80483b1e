#include "run/drills.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace oomdrill::run {
namespace {

constexpr std::array<std::string_view, 2> kGuide = {"--rate", "8MB/s"};
constexpr std::array<std::string_view, 4> kBlindSpot = {"--kind", "memfd", "--rate", "8MB/s"};
constexpr std::array<std::string_view, 2> kBurst = {"--pattern", "burst:size=24MiB,interval=2s"};
constexpr std::array<std::string_view, 2> kSlowLeak = {"--rate", "4MB/s"};
constexpr std::array<std::string_view, 4> kFragmentation = {"--pattern", "fragment", "--rate",
                                                            "16MB/s"};
constexpr std::array<std::string_view, 3> kHiddenWorker = {
    "/bin/sh", "-c", "leaksim --format json --rate 32MB/s & wait; exit 0"};

/// "after 8.32 s (8 min 52 s on the scale of production)".
std::string killed(const Drill& drill) {
  if (drill.account.kills.empty()) return "nothing was killed";
  const auto after = drill.account.after_s(drill.account.kills.front().time);
  if (!after) return "killed";
  std::string text = "killed after " + format_seconds(*after);
  if (drill.stretch != 1) {
    text += fmt::format(" ({} on the scale of production)", format_seconds(*after * drill.stretch));
  }
  return text;
}

/// What the alarm that fires first did.
std::string first_alarm(const Drill& drill) {
  if (!drill.findings || drill.findings->alarms.empty()) return "";
  const alarm::Finding* first = nullptr;
  for (const alarm::Finding& each : drill.findings->alarms) {
    if (each.lead_s && (first == nullptr || *each.lead_s > *first->lead_s)) first = &each;
  }
  if (first == nullptr) return fmt::format("no alarm of {} fires", printable(drill.alarms->source));
  const std::string lead = format_seconds(std::abs(*first->lead_s));
  return fmt::format("the first alarm to fire, {}, comes {}", printable(first->name),
                     *first->lead_s < 0 ? lead + " too late" : "in time, " + lead + " before");
}

std::string learnt_of_alarms(const Drill& drill) {
  return killed(drill) + ": " + first_alarm(drill);
}

std::string learnt_of_blind_spot(const Drill& drill) {
  const double seen = drill.highest_utilization.value_or(0);
  if (seen > 50) {
    return fmt::format(
        "{}: this kernel's cgroup counts shared memory in MemoryUtilization, "
        "{:.0f} % at most; on cgroup v1 it would stay flat",
        killed(drill), seen);
  }
  return fmt::format("{}, while MemoryUtilization showed {:.1f} % at most: no alarm on it can fire",
                     killed(drill), seen);
}

std::string learnt_of_burst(const Drill& drill) {
  if (drill.account.kills.empty()) return killed(drill);
  const auto& kill = drill.account.kills.front();
  if (!kill.used_bytes || !kill.limit_bytes || *kill.limit_bytes == 0) return killed(drill);
  return fmt::format(
      "{} out of {:.0f} % used a moment before: no threshold above that can warn", killed(drill),
      static_cast<double>(*kill.used_bytes) * 100 / static_cast<double>(*kill.limit_bytes));
}

std::string learnt_of_fragmentation(const Drill& drill) {
  const auto& state = drill.account.leak_state;
  if (!state || !state->live_bytes || !state->used_bytes) return killed(drill);
  return fmt::format(
      "{} with {} alive of {} used: freeing does not give pages back that hold a "
      "survivor",
      killed(drill), format_bytes(*state->live_bytes), format_bytes(*state->used_bytes));
}

std::string learnt_of_worker(const Drill& drill) {
  if (drill.account.kills_total == 0) return "no worker was killed";
  if (drill.verdict.outcome != "completed") return killed(drill) + ", and the service with it";
  return fmt::format(
      "{} worker{} killed, and the container completed with exit code 0: ECS shows "
      "nothing, oomprobe told it",
      drill.account.kills_total, drill.account.kills_total == 1 ? " was" : "s were");
}

constexpr std::array kDrills = {
    NamedDrill{"guide", "512 MiB at 1 MB/s as 64 MiB at 8 MB/s: do its alarms come in time?",
               "64MiB", "50ms", 64, "oom_killed", false, kGuide, learnt_of_alarms},
    NamedDrill{"blind-spot", "the same in shared memory, which MemoryUtilization may leave out",
               "64MiB", "50ms", 64, "oom_killed", false, kBlindSpot, learnt_of_blind_spot},
    NamedDrill{"burst", "a block at once, with no warning", "64MiB", "50ms", 60, "oom_killed",
               false, kBurst, learnt_of_burst},
    NamedDrill{"slow-leak", "512 MiB at 50 KB/s, in three hours: time enough for any alarm",
               "64MiB", "20ms", 640, "oom_killed", false, kSlowLeak, learnt_of_alarms},
    NamedDrill{"fragmentation", "live memory falls and resident memory does not", "64MiB", "50ms",
               60, "oom_killed", false, kFragmentation, learnt_of_fragmentation},
    NamedDrill{"hidden-worker-kill", "a worker dies and its container lives on", "64MiB", "50ms",
               60, "completed", true, kHiddenWorker, learnt_of_worker},
};

}  // namespace

std::span<const NamedDrill> named_drills() { return kDrills; }

Result<const NamedDrill*> find_drill(std::string_view name) {
  std::string known;
  for (const NamedDrill& each : kDrills) {
    if (each.name == name) return &each;
    known += (known.empty() ? "" : ", ") + std::string(each.name);
  }
  return fail("'" + std::string(name) + "' is no drill", {},
              "known: " + known + ", all; see oomdrill run --help");
}

}  // namespace oomdrill::run
