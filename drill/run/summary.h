#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alarm/findings.h"
#include "predict/prediction.h"
#include "recording/account.h"
#include "recording/reader.h"
#include "run/verdict.h"

namespace oomdrill::run {

/// A drill that is over.
struct Drill {
  std::uint64_t memory_bytes = 0;  ///< asked for
  std::string engine;
  std::vector<std::pair<std::string, std::string>> refused;  ///< engines, with why not
  std::string where;
  std::string workload;      ///< the command line
  std::string command = {};  ///< the one of oomdrill that does it again
  std::string recording;
  bool recorded = true;  ///< all of it could be written
  recording::Counts counts;
  std::vector<recording::Problem> problems;
  recording::Account account;
  Outside outside;
  Verdict verdict;
  std::string expected;  ///< one of kOutcomes, or "any"
  std::optional<predict::Leak> leak = {};
  std::optional<predict::Prediction> prediction = {};
  // Where alarms were asked for. Their seconds are the drill's, times `stretch`.
  double stretch = 1;
  std::optional<alarm::AlarmSet> alarms = {};
  std::optional<alarm::Question> question = {};
  std::optional<alarm::Incident> incident = {};
  std::optional<alarm::Findings> findings = {};
  std::optional<double> highest_utilization = {};  ///< MemoryUtilization, percent
  // Of a named drill.
  std::string name = {};
  std::string learnt = {};

  [[nodiscard]] bool as_expected() const {
    return verdict.confidence != Confidence::disputed &&
           (expected == "any" || expected == verdict.outcome);
  }
};

/// Fills in verdict, leak and prediction from account and outside.
void conclude(Drill& drill);

/// For people: one fact a line, aligned, each with its newline.
std::string text_summary(const Drill& drill);
/// For programs: one object and a newline. Seconds count from the start of the leak.
std::string json_summary(const Drill& drill);

/// Of the same drill done several times; `json` where it is not text: the last one's object with
/// a member `repeat`, and a newline.
std::string repeat_summary(const std::vector<Drill>& drills, bool json);
/// Of several drills: {"drills": […]} and a newline.
std::string json_drills(const std::vector<Drill>& drills);
/// One line with its newline: its name, how it ended, what was learnt.
std::string line_summary(const Drill& drill);

/// Actual against predicted time, in percent of the prediction; nullopt where there is none of one
/// of them.
std::optional<double> prediction_error_percent(const Drill& drill);

/// `text` without control characters: what a workload calls itself must not reach a terminal raw.
std::string printable(std::string_view text);
/// "1 sample", "2 samples".
std::string plural(std::uint64_t n, std::string_view what);
/// "7.52 s", "3 min 20 s".
std::string format_seconds(double seconds);

}  // namespace oomdrill::run
