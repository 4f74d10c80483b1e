#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The one shape in which evaluate, predict, run and report say what came of a leak.
/// Seconds count from its start.
namespace oomdrill::outcome {

/// The first OOM kill.
struct Kill {
  double after_s = 0;
  std::optional<std::uint64_t> used_bytes = {};
  std::optional<std::uint64_t> limit_bytes = {};
};

/// As CloudWatch names them.
enum class State { insufficient_data, ok, alarm };
std::string_view name(State state);  ///< "INSUFFICIENT_DATA", "OK", "ALARM"

struct Transition {
  double after_s = 0;
  State from = State::insufficient_data;
  State to = State::insufficient_data;
  std::string why = {};  ///< the datapoints that it rests on, in one clause
};

enum class Fired { before, after, never };
std::string_view name(Fired fired);  ///< "before", "after", "never": the kill is meant

struct AlarmOutcome {
  std::string name;  ///< as CloudWatch shows it
  /// Of the first ALARM since the leak's start; without a kill one that fired did so "before".
  Fired fired = Fired::never;
  std::optional<double> fired_after_s = {};
  std::optional<double> lead_s = {};  ///< before the kill; negative after it; nullopt without one
  std::string why = {};               ///< one sentence
  std::string suggestion = {};  ///< settings that would have given the lead asked for; may be empty
  /// The first ones; `transitions_total` counts all.
  std::vector<Transition> transitions = {};
  std::uint64_t transitions_total = 0;
};

/// A change of the number of tasks.
struct ScalingOutcome {
  double after_s = 0;
  std::string policy;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::string why;
};

struct Outcome {
  std::optional<Kill> kill = {};
  std::vector<AlarmOutcome> alarms = {};
  std::vector<ScalingOutcome> scaling = {};

  /// One of the alarms fired at least that long before the kill; true where there is no kill.
  [[nodiscard]] bool leads_by(double seconds) const;
};

/// Sets "kill", "alarms" and "scaling".
void put(nlohmann::ordered_json& object, const Outcome& outcome);
/// The alarms and the scaling alone, for a caller that tells more of the kill.
void put_responses(nlohmann::ordered_json& object, const Outcome& outcome);

/// For people: one alarm or scaling step a line, aligned, reasons indented below.
std::string text(const Outcome& outcome);

}  // namespace oomdrill::outcome
