#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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
  std::string workload;  ///< the command line
  std::string recording;
  recording::Counts counts;
  std::vector<recording::Problem> problems;
  recording::Account account;
  Outside outside;
  Verdict verdict;
  std::string expected;  ///< one of kOutcomes, or "any"
  std::optional<predict::Leak> leak = {};
  std::optional<predict::Prediction> prediction = {};

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

/// `text` without control characters: what a workload calls itself must not reach a terminal raw.
std::string printable(std::string_view text);
/// "7.52 s", "3 min 20 s".
std::string format_seconds(double seconds);

}  // namespace oomdrill::run
