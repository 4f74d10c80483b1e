#include "outcome/outcome.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/units.h"

namespace oomdrill::outcome {
namespace {

using Json = nlohmann::ordered_json;

/// Milliseconds are more than any clock in question has to say.
double rounded(double seconds) { return std::round(seconds * 1000) / 1000; }

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json seconds_or_null(const std::optional<double>& seconds) {
  return seconds ? Json(rounded(*seconds)) : Json(nullptr);
}

Json json(const Kill& kill) {
  return {{"after_s", rounded(kill.after_s)},
          {"used_bytes", or_null(kill.used_bytes)},
          {"limit_bytes", or_null(kill.limit_bytes)}};
}

Json json(const AlarmOutcome& alarm) {
  Json transitions = Json::array();
  for (const Transition& each : alarm.transitions) {
    transitions.push_back({{"after_s", rounded(each.after_s)},
                           {"from", std::string(name(each.from))},
                           {"to", std::string(name(each.to))},
                           {"why", each.why}});
  }
  Json object = {{"name", alarm.name},
                 {"fired", std::string(name(alarm.fired))},
                 {"fired_after_s", seconds_or_null(alarm.fired_after_s)},
                 {"lead_s", seconds_or_null(alarm.lead_s)},
                 {"why", alarm.why}};
  if (!alarm.suggestion.empty()) object["suggestion"] = alarm.suggestion;
  object["transitions"] = std::move(transitions);
  object["transitions_total"] = alarm.transitions_total;
  return object;
}

Json json(const ScalingOutcome& step) {
  return {{"after_s", rounded(step.after_s)},
          {"policy", step.policy},
          {"from", step.from},
          {"to", step.to},
          {"why", step.why}};
}

std::string headline(const AlarmOutcome& alarm) {
  if (!alarm.fired_after_s) return "never fires";
  std::string line = fmt::format("fires after {:.0f} s", *alarm.fired_after_s);
  if (alarm.lead_s) {
    line += *alarm.lead_s >= 0 ? fmt::format(", {:.0f} s before the kill", *alarm.lead_s)
                               : fmt::format(", {:.0f} s AFTER the kill", -*alarm.lead_s);
  }
  return line;
}

}  // namespace

std::string_view name(State state) {
  switch (state) {
    case State::insufficient_data:
      return "INSUFFICIENT_DATA";
    case State::ok:
      return "OK";
    case State::alarm:
      return "ALARM";
  }
  return "";
}

std::string_view name(Fired fired) {
  switch (fired) {
    case Fired::before:
      return "before";
    case Fired::after:
      return "after";
    case Fired::never:
      return "never";
  }
  return "";
}

bool Outcome::leads_by(double seconds) const {
  return !kill || std::any_of(alarms.begin(), alarms.end(), [seconds](const AlarmOutcome& alarm) {
    return alarm.lead_s && *alarm.lead_s >= seconds;
  });
}

void put_responses(Json& object, const Outcome& outcome) {
  Json alarms = Json::array();
  for (const AlarmOutcome& alarm : outcome.alarms) alarms.push_back(json(alarm));
  object["alarms"] = std::move(alarms);
  Json scaling = Json::array();
  for (const ScalingOutcome& step : outcome.scaling) scaling.push_back(json(step));
  object["scaling"] = std::move(scaling);
}

void put(Json& object, const Outcome& outcome) {
  object["kill"] = outcome.kill ? json(*outcome.kill) : Json(nullptr);
  put_responses(object, outcome);
}

std::string text(const Outcome& outcome) {
  std::size_t width = 0;
  for (const AlarmOutcome& alarm : outcome.alarms) width = std::max(width, alarm.name.size());
  std::string out;
  for (const AlarmOutcome& alarm : outcome.alarms) {
    out += fmt::format("{:<{}}  {}\n", alarm.name, width, headline(alarm));
    if (!alarm.why.empty()) out += fmt::format("{:<{}}  {}\n", "", width, alarm.why);
    if (!alarm.suggestion.empty()) {
      out += fmt::format("{:<{}}  instead: {}\n", "", width, alarm.suggestion);
    }
  }
  for (const ScalingOutcome& step : outcome.scaling) {
    out += fmt::format("{}: {} → {} tasks after {:.0f} s: {}\n", step.policy, step.from, step.to,
                       step.after_s, step.why);
  }
  return out;
}

}  // namespace oomdrill::outcome
