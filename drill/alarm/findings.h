#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alarm/evaluation.h"
#include "alarm/metrics.h"
#include "alarm/model.h"
#include "base/clock.h"

/// Would we have known in time? What each alarm did in an incident, why, and what would have done
/// better.
namespace oomdrill::alarm {

struct Incident {
  WallTime begin;   ///< of what is known
  WallTime origin;  ///< where seconds count from: the start of the leak
  WallTime end;
  std::optional<WallTime> kill = {};  ///< the first OOM kill
  std::optional<std::uint64_t> limit_bytes = {};

  [[nodiscard]] double after_s(WallTime at) const { return to_seconds(at - origin); }
};

struct Question {
  /// From the end of a period until its point is there.
  seconds delay{60};
  /// The lead that is asked for.
  std::optional<seconds> lead = {};
  /// The lead counts as its worst over all alignments, where that of the kill means nothing.
  bool any_alignment = false;
};

enum class Fired { before, after, never, unknown };
std::string_view name(Fired fired);

/// The same incident had it begun at another second of the minute.
struct Alignments {
  std::size_t tried = 0;
  std::size_t before = 0;                   ///< of them it fires before the kill
  std::optional<double> best_lead_s = {};   ///< nullopt: never fires
  std::optional<double> worst_lead_s = {};  ///< nullopt: in one of them it never fires
};

/// A setting that gives the lead asked for in every alignment, tried and not reckoned.
struct Suggestion {
  MetricAlarm alarm;
  double lead_s = 0;  ///< in the worst alignment
};

struct Finding {
  std::string name;
  Fired fired = Fired::never;
  std::optional<double> fired_after_s = {};
  std::optional<double> lead_s = {};  ///< before the kill; negative: after it
  bool cleared = false;               ///< it fired before the kill, and was over when that came
  std::string why;                    ///< one sentence, without its full stop
  std::vector<Transition> transitions = {};
  std::optional<Alignments> alignments = {};
  std::optional<Suggestion> suggestion = {};
  /// The lead that a suggestion was looked for, where the alarm could have given one.
  std::optional<seconds> sought_lead = {};
};

struct Findings {
  std::vector<Finding> alarms;
  /// The longest lead of all alarms before the kill, as Question counts it.
  std::optional<double> lead_s = {};
  std::string lead_by = {};  ///< the alarm that gives it
  /// Where a lead was asked for: whether there was one. Without a kill there is none to prove.
  std::optional<bool> met = {};
};

/// The metrics that suggestions are looked for in, beside those of the alarms.
void want_candidates(SeriesSet& series);

Findings examine(const AlarmSet& set, const SeriesSet& series, const Incident& incident,
                 const Question& question);

}  // namespace oomdrill::alarm
