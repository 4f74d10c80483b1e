#include "rightsize/command.h"

#include <fmt/core.h>

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/units.h"
#include "recording/runs.h"
#include "rightsize/advice.h"
#include "run/summary.h"

namespace oomdrill::rightsize {
namespace {

using drill::complain;
using drill::ExitCode;
using Json = nlohmann::ordered_json;

constexpr std::array kOptions = {
    Option{.name = "margin",
           .value = "PERCENT",
           .default_value = "25%",
           .help = "Above the peak of the working set"},
    Option{.name = "fargate",
           .value = "",
           .default_value = "",
           .help = "Round up to what Fargate sells, and reckon with that"},
    Option{.name = "cpu",
           .value = "UNITS",
           .default_value = "0",
           .help = "CPU units that the task needs: Fargate sells memory by them"},
    Option{.name = "format", .value = "NAME", .default_value = "text", .help = "text or json"},
};

std::string size(const std::optional<std::uint64_t>& bytes) {
  return bytes ? format_bytes(*bytes) : "none known";
}

std::string text_of(const std::vector<Advice>& all, const Margin& margin) {
  std::string text;
  const auto add = [&](std::string_view label, std::string_view value) {
    text += fmt::format("{:<12} {}\n", label, run::printable(value));
  };
  for (const Advice& each : all) {
    if (!text.empty()) text += '\n';
    add("workload", fmt::format("{}, {} in {}", each.who, run::plural(each.samples, "sample"),
                                each.hours < 1 ? run::format_seconds(each.hours * 3600)
                                               : fmt::format("{:.2f} h", each.hours)));
    add("working set", fmt::format("p50 {}, p95 {}, p99 {}, peak {}", format_bytes(each.p50_bytes),
                                   format_bytes(each.p95_bytes), format_bytes(each.p99_bytes),
                                   format_bytes(each.peak_bytes)));
    add("now", fmt::format("limit {}, reservation {}, {}", size(each.limit_bytes),
                           size(each.reservation_bytes), run::plural(each.kills, "OOM kill")));
    add("verdict", words(each.verdict));
    add("why", each.why);
    if (each.verdict == Verdict::too_little || each.verdict == Verdict::fix_the_leak) continue;
    add("memory", fmt::format("{} (margin {:g} % above the peak)", format_bytes(each.memory_bytes),
                              margin.percent));
    add("reservation",
        fmt::format("{} (the same margin above p95)", format_bytes(each.reserve_bytes)));
    if (each.fargate) {
      add("Fargate",
          fmt::format("{} CPU units with {} MiB", each.fargate->cpu, each.fargate->memory_mib));
    }
    if (each.saved_gib_per_hour) {
      const double saved = *each.saved_gib_per_hour;
      add(saved >= 0 ? "saves" : "costs", gib_hours(saved));
    }
  }
  return text;
}

template <class T>
Json maybe(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

std::string json_of(const std::vector<Advice>& all, const Margin& margin) {
  Json json = {{"margin_percent", margin.percent}, {"workloads", Json::array()}};
  for (const Advice& each : all) {
    Json one = {{"workload", each.who},
                {"samples", each.samples},
                {"hours", each.hours},
                {"p50_bytes", each.p50_bytes},
                {"p95_bytes", each.p95_bytes},
                {"p99_bytes", each.p99_bytes},
                {"peak_bytes", each.peak_bytes},
                {"limit_bytes", maybe(each.limit_bytes)},
                {"reservation_bytes", maybe(each.reservation_bytes)},
                {"oom_kills", each.kills},
                {"verdict", name(each.verdict)},
                {"why", each.why}};
    const bool sized = each.verdict != Verdict::too_little && each.verdict != Verdict::fix_the_leak;
    one["memory_bytes"] = sized ? Json(each.memory_bytes) : Json(nullptr);
    one["recommended_reservation_bytes"] = sized ? Json(each.reserve_bytes) : Json(nullptr);
    one["fargate"] = sized && each.fargate ? Json{{"cpu", each.fargate->cpu},
                                                  {"memory_mib", each.fargate->memory_mib}}
                                           : Json(nullptr);
    one["saved_gib_hours_per_hour"] = maybe(each.saved_gib_per_hour);
    json["workloads"].push_back(one);
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

constinit const Command kRightsizeCommand = {
    .program = "oomdrill",
    .name = "rightsize",
    .synopsis = "RECORDING…",
    .summary = "How much memory a workload needs, from what it used; never less for what leaks.",
    .options = kOptions,
    .epilogue =
        "Examples:\n"
        "  oomdrill rightsize month-*.log.gz\n"
        "  oomdrill rightsize --fargate --cpu 512 --margin 40% task.jsonl\n",
    .takes_positionals = true};

ExitCode run_rightsize(const Arguments& arguments, drill::Streams& streams) {
  Margin margin;
  const auto percent = arguments.get("margin", parse_percent);
  if (!percent) return complain(streams, percent.error(), ExitCode::usage);
  margin.percent = *percent;
  margin.fargate = arguments.flag("fargate");
  const auto cpu =
      arguments.get("cpu", [](std::string_view text) { return parse_whole(text, 0, 16384); });
  if (!cpu) return complain(streams, cpu.error(), ExitCode::usage);
  if (*cpu != 0 && !fargate_sells(*cpu)) {
    return complain(streams,
                    {fmt::format("Fargate does not sell {} CPU units", *cpu),
                     arguments.origin("cpu"), "it sells " + fargate_cpus()},
                    ExitCode::usage);
  }
  margin.cpu = static_cast<std::uint32_t>(*cpu);
  const auto is_json = drill::wants_json(arguments);
  if (!is_json) return complain(streams, is_json.error(), ExitCode::usage);
  if (const auto named = drill::names_recordings(arguments); !named) {
    return complain(streams, named.error(), ExitCode::usage);
  }
  recording::Input input{};
  const auto runs = recording::read_runs(arguments.positionals, input);
  if (!runs) {
    return complain(streams, runs.error(),
                    input == recording::Input::missing ? ExitCode::no_input : ExitCode::data_error);
  }
  const auto advice = advise(*runs, margin);
  streams.out << (*is_json ? json_of(advice, margin) : text_of(advice, margin));
  return ExitCode::as_expected;
}

}  // namespace oomdrill::rightsize
