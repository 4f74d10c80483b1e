#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "recording/record.h"

/// What one recording says of one workload: facts as its events state them, nothing concluded.
namespace oomdrill::recording {

struct ProbeStart {
  WallTime time;
  std::optional<std::uint64_t> limit_bytes = {};
  std::string limit_source;
  std::string limit_where;
};

/// `oomdrill run` around it all.
struct DrillStart {
  std::string name;     ///< of a named drill
  std::string command;  ///< that does it again
  double stretch = 1;   ///< for alarms a second counts as so many
};

/// Its verdict, which rests on what it saw from outside, too.
struct DrillEnd {
  std::string verdict;
  std::string confidence;
  std::string why;
  std::string disagreement;
};

struct LeakStart {
  WallTime time;
  std::string pattern;
  std::optional<double> rate_bytes_per_s = {};
  std::uint64_t seed = 0;
  std::optional<std::uint64_t> used_bytes = {};
  std::optional<std::uint64_t> limit_bytes = {};
  std::string kind;  ///< of memory
  std::optional<std::uint64_t> until_bytes = {};
  /// Page cache that was there before it, such as the programs' own.
  std::optional<std::uint64_t> cache_bytes = {};
  std::optional<std::uint64_t> max_bytes = {};
  std::optional<double> duration_s = {};
  std::string allocator = {};  ///< "glibc"; empty where it is not the heap that leaks
  /// Of --workers, those that were there before the first kill.
  std::uint64_t workers = 1;
  /// --share each: the plan is every worker's own, and so is its seed.
  bool each = false;
};

/// The last leak.progress, leak.holding or leak.stopped.
struct LeakState {
  WallTime time;
  std::optional<double> requested_bytes_per_s = {};
  std::optional<double> achieved_bytes_per_s = {};
  std::optional<std::uint64_t> allocated_bytes = {};
  std::optional<std::uint64_t> live_bytes = {};
  std::optional<std::uint64_t> used_bytes = {};
  std::optional<std::uint64_t> debt_bytes = {};
  std::optional<double> eta_oom_s = {};
  std::string stopped;  ///< the reason; empty while it leaks
};

/// The last usage that any event states.
struct Usage {
  WallTime time;
  std::uint64_t used_bytes = 0;
  std::optional<std::uint64_t> limit_bytes = {};
};

struct Threshold {
  WallTime time;
  double percent = 0;
  bool up = true;
  std::optional<std::uint64_t> used_bytes = {};
  std::optional<double> growth_bytes_per_s = {};
  std::optional<double> eta_oom_s = {};
};

struct OomKill {
  WallTime time;
  std::string scope;
  std::uint64_t kills = 0;
  std::optional<std::uint64_t> before = {};  ///< oom_kill
  std::optional<std::uint64_t> after = {};
  std::optional<std::uint64_t> used_bytes = {};  ///< in the last sample before
  std::optional<double> sample_age_s = {};
  std::optional<std::uint64_t> limit_bytes = {};
  std::string limit_source;
  std::optional<std::uint64_t> peak_bytes = {};
  std::optional<std::uint64_t> victim_pid = {};
  std::string victim_name;
  std::optional<bool> survived = {};  ///< the main child lives on

  /// The probe says so, which waits whether the main child ends with it.
  [[nodiscard]] bool lived_on() const { return survived.value_or(false); }
};

struct WorkloadStart {
  WallTime time;
  std::string command;
};

struct WorkloadExit {
  WallTime time;
  std::string verdict;
  std::optional<std::uint64_t> exit_code = {};
  std::string signal;
  std::string confidence;  ///< the probe's own; empty where it says none
  std::optional<double> duration_s = {};
  std::optional<std::uint64_t> peak_bytes = {};
};

/// Of drill.started: a second of the recording counts as so many. 1 where it says no such factor.
double stretch_of(const Record& record);

struct Account {
  std::optional<DrillStart> drill = {};
  std::optional<DrillEnd> drill_end = {};
  std::optional<ProbeStart> probe = {};
  std::optional<LeakStart> leak = {};
  std::optional<LeakState> leak_state = {};
  std::optional<WallTime> holding_since = {};  ///< the first leak.holding
  /// The last one below 95 % of the limit: above, the kernel reclaims and every rate is its own.
  std::optional<LeakState> unhindered = {};
  std::optional<WorkloadStart> started = {};
  std::optional<WorkloadExit> exited = {};
  std::optional<Usage> usage = {};
  /// Since when the usage has been at 99 % of the limit or above, without a break until the first
  /// kill.
  std::optional<WallTime> full_since = {};
  std::optional<std::uint64_t> peak_bytes = {};
  std::vector<Threshold> thresholds;  ///< at most kKept; a long recording has thousands
  std::vector<OomKill> kills;         ///< the first kKept; kills_total counts all
  std::uint64_t kills_total = 0;      ///< processes, as the counters say
  std::vector<std::string> warnings;  ///< probe.warning, at most kKept
  /// Events that were emitted and are not here: gaps in `seq`, or what the probe says it dropped.
  std::uint64_t lost = 0;

  static constexpr std::size_t kKept = 64;

  /// Takes in the next event of the recording.
  void note(const Record& record);

  /// Where seconds count from: the leak's start, or else the workload's.
  [[nodiscard]] std::optional<WallTime> origin() const;
  /// Seconds from the origin; nullopt before there is one.
  [[nodiscard]] std::optional<double> after_s(WallTime time) const;

 private:
  void note_leak(const Record& record);
  void note_usage(const Record& record);
  void note_sequence(const Record& record);
  std::optional<std::uint64_t> probe_seq_ = {};
  std::optional<std::uint64_t> leak_seq_ = {};
  std::uint64_t probe_gaps_ = 0;
  std::uint64_t leak_gaps_ = 0;
  std::uint64_t leaks_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace oomdrill::recording
