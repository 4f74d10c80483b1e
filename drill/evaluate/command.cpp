#include "evaluate/command.h"

#include <fmt/core.h>

#include <array>
#include <nlohmann/json.hpp>

#include "alarm/options.h"
#include "alarm/report.h"
#include "alarm/watch.h"
#include "recording/reader.h"
#include "run/summary.h"

namespace oomdrill::evaluate {
namespace {

using drill::complain;
using drill::ExitCode;
using Json = nlohmann::ordered_json;

constexpr std::array kOptions = {
    alarm::kAlarmsOption,
    alarm::kRequireLeadOption,
    alarm::kDelayOption,
    alarm::kNamespaceOption,
    alarm::kStretchOption,
    Option{.name = "format", .value = "NAME", .default_value = "text", .help = "text or json"},
};

Json json_kill(const alarm::Incident& incident, const recording::Account& account) {
  if (!incident.kill) return nullptr;
  Json json = {{"after_s", incident.after_s(*incident.kill)}};
  if (incident.limit_bytes) json["limit_bytes"] = *incident.limit_bytes;
  if (!account.kills.empty()) {
    const auto& kill = account.kills.front();
    if (kill.used_bytes) json["used_bytes"] = *kill.used_bytes;
    if (!kill.scope.empty()) json["scope"] = kill.scope;
    if (!kill.victim_name.empty()) json["victim_name"] = kill.victim_name;
    if (kill.survived) json["survived"] = *kill.survived;
  }
  return json;
}

std::string text_kill(const alarm::Incident& incident, const recording::Account& account) {
  if (!incident.kill) return "none";
  std::string text = "after " + run::format_seconds(incident.after_s(*incident.kill));
  if (incident.limit_bytes) text += ", limit " + format_bytes(*incident.limit_bytes);
  if (!account.kills.empty()) {
    const auto& kill = account.kills.front();
    if (!kill.scope.empty()) text += " (" + run::printable(kill.scope) + ")";
    if (!kill.victim_name.empty()) text += ", victim " + run::printable(kill.victim_name);
  }
  return text;
}

}  // namespace

constinit const Command kEvaluateCommand = {
    .program = "oomdrill",
    .name = "evaluate",
    .synopsis = "RECORDING…",
    .summary =
        "What alarms did in a recorded incident: before the kill, after it, or never; and why.",
    .options = kOptions,
    .epilogue =
        "Several recordings are the tasks of one service; their samples are one metric.\n"
        "\nExamples:\n"
        "  oomdrill evaluate drill.jsonl --alarms guide\n"
        "  terraform show -json plan.out > plan.json\n"
        "  oomdrill evaluate drill.jsonl --alarms plan.json --require-lead 60s\n"
        "\ndocs/alarms.md says how alarms are evaluated, and what is assumed.\n",
    .takes_positionals = true};

ExitCode run_evaluate(const Arguments& arguments, drill::Streams& streams) {
  if (const auto named = drill::names_recordings(arguments); !named) {
    return complain(streams, named.error(), ExitCode::usage);
  }
  const auto is_json = drill::wants_json(arguments);
  if (!is_json) return complain(streams, is_json.error(), ExitCode::usage);
  const auto stretch = alarm::read_stretch(arguments);
  if (!stretch) return complain(streams, stretch.error(), ExitCode::usage);
  auto watched = alarm::read_watched(arguments, true);
  if (!watched) return complain(streams, watched.error().error, watched.error().code);
  auto& [set, question, series] = **watched;

  alarm::Watch watch(std::move(series), *stretch);
  recording::Counts total;
  for (const std::string& path : arguments.positionals) {
    recording::Reader reader([&](const recording::Record& record) { watch.note(record); },
                             recording::Reader::Order::restored);
    if (const auto read = recording::read_file(path, reader); !read) {
      return complain(streams, read.error(), ExitCode::no_input);
    }
    watch.next_recording();
    const auto& counts = reader.counts();
    if (counts.events == 0) {
      return complain(streams,
                      Error{fmt::format("no event in {} lines", counts.lines), run::printable(path),
                            "give what oomprobe or oomdrill run recorded (--format json or emf)"},
                      ExitCode::data_error);
    }
    for (const auto& problem : reader.problems()) {
      streams.err << "oomdrill: "
                  << run::printable(
                         fmt::format("{}:{}: {}; skipped", path, problem.line, problem.what))
                  << '\n';
    }
    total.lines += counts.lines;
    total.events += counts.events;
    total.foreign += counts.foreign;
    total.broken += counts.broken;
  }
  const auto incident = watch.incident();
  if (!incident) {
    return complain(streams, Error{"no event in the recordings"}, ExitCode::data_error);
  }
  if (watch.is_mixed()) return complain(streams, alarm::mixed_stretch(), ExitCode::usage);
  const auto findings = alarm::examine(set, watch.series(), *incident, question);

  if (*is_json) {
    Json json = {{"kill", json_kill(*incident, watch.account())},
                 {"alarms", alarm::json_alarms(findings, *incident)},
                 {"scaling", Json::array()},
                 {"delay_s", question.delay.count()}};
    if (findings.lead_s) json["lead_s"] = *findings.lead_s;
    if (question.lead) {
      json["required_lead_s"] = question.lead->count();
      json["lead_met"] = findings.met.value_or(false);
    }
    if (watch.stretch() != 1) json["stretch"] = watch.stretch();
    json["recordings"] = {{"files", arguments.positionals.size()},
                          {"lines", total.lines},
                          {"events", total.events},
                          {"foreign", total.foreign},
                          {"broken", total.broken}};
    streams.out << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  } else {
    streams.out << fmt::format("{:<12} {}\n", "kill", text_kill(*incident, watch.account()))
                << alarm::text_scale(watch.stretch())
                << alarm::text_alarms(findings, set, *incident, question);
  }
  return findings.met.value_or(true) ? ExitCode::as_expected : ExitCode::otherwise;
}

}  // namespace oomdrill::evaluate
