#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/options.h"
#include "detect/policy.h"
#include "expose/exporter.h"
#include "supervise/child.h"

namespace oomdrill::probe {

/// run, watch, snapshot, doctor, recover, in this order.
std::span<const Command> commands();

/// How events leave.
struct OutputSettings {
  std::string format;
  std::string metric_namespace;
  std::vector<std::pair<std::string, std::string>> dimensions;  ///< of a metric set of their own
  std::string path;                                             ///< "-": standard output
};

struct WatchSettings {
  Policy policy;
  std::string thresholds;  ///< as probe.started tells them
  OutputSettings output;
  Nanoseconds ecs_timeout{};
  std::string cgroup;  ///< empty: the own one
  /// `automatic`: the cgroup; the endpoint where none can be read.
  enum class From { automatic, cgroup, ecs } from = From::automatic;
  int pid = 0;  ///< whose cgroup; 0: none was named
  bool all_siblings = false;
  std::string recorder;  ///< path; empty: none
  std::uint64_t recorder_bytes = 0;
  std::optional<ExportTarget> prometheus;
};

struct RunSettings {
  WatchSettings watch;
  std::vector<std::string> command;
  bool signal_group = false;
  std::optional<Nanoseconds> kill_after;
  enum class Score { raise, keep, set } score = Score::raise;
  int oom_score_adj = 0;  ///< where `score` is `set`
};

struct SnapshotSettings {
  OutputSettings output;
  Nanoseconds ecs_timeout{};
  std::string cgroup;
  std::optional<double> fail_above;  ///< percent
};

struct DoctorSettings {
  std::string format;
  Nanoseconds ecs_timeout{};
  std::string cgroup;
};

struct RecoverSettings {
  std::string path;
};

Result<RunSettings> read_run(const Arguments& arguments);
Result<WatchSettings> read_watch(const Arguments& arguments);
Result<SnapshotSettings> read_snapshot(const Arguments& arguments);
Result<DoctorSettings> read_doctor(const Arguments& arguments);
Result<RecoverSettings> read_recover(const Arguments& arguments);

/// "75%,85%,95%", in any order, at most eight; "none".
Result<std::vector<double>> parse_thresholds(std::string_view text);

}  // namespace oomdrill::probe
