#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "alarm/metrics.h"
#include "predict/course.h"
#include "scaling/target_tracking.h"

/// A service of many tasks, some of which leak.
///
/// The load model: memory, unlike CPU, is not shared out by adding tasks. A healthy task uses
/// `healthy_percent` of its memory, always; a leaking one follows its course from its start to its
/// kill, is started anew after a delay, and leaks again. Adding tasks changes neither.
namespace oomdrill::predict {

using std::chrono::seconds;

struct Service {
  std::uint32_t tasks = 1;
  double leaking = 1;  ///< the part of the tasks, in [0, 1]
  /// Starts are spread over so much, at random.
  seconds stagger{0};
  seconds restart_delay{30};
  /// Each further kill of a task multiplies its delay, up to the longest.
  double back_off = 1;
  seconds longest_delay{900};
  /// From the wish for a task until it runs.
  seconds start_up{60};
  seconds duration{86400};
  double healthy_percent = 40;
  std::uint64_t seed = 1;
  std::optional<scaling::Policy> scaling = {};
  seconds metric_delay{60};
};

struct ServiceResult {
  std::uint64_t kills = 0;
  std::optional<seconds> first_kill = {};  ///< since the start
  std::uint32_t initially_leaking = 0;
  std::uint32_t most_tasks = 0;
  double task_hours = 0;
  double highest_average = 0;  ///< of a minute, percent
  double highest_task = 0;
  double last_average = 0;
  std::vector<scaling::Action> actions;
};

/// `course` is of a leaking task, at an interval of one second. What alarms see goes into `series`,
/// where given, from `start` on. Time: linear in leaking tasks × minutes.
ServiceResult predict_service(const Service& service, const Course& course, alarm::Instant start,
                              alarm::SeriesSet* series);

}  // namespace oomdrill::predict
