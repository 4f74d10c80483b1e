#include "trend/command.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/units.h"
#include "recording/runs.h"
#include "run/summary.h"
#include "trend/classify.h"
#include "trend/restarts.h"

namespace oomdrill::trend {
namespace {

using drill::complain;
using drill::ExitCode;
using recording::Run;
using recording::Runs;
using Json = nlohmann::ordered_json;

constexpr std::array kOptions = {
    Option{.name = "format", .value = "NAME", .default_value = "text", .help = "text or json"},
    Option{.name = "weeks",
           .value = "",
           .default_value = "",
           .help = "Week over week, even where the recordings are of one week"},
    Option{.name = "fail-on-leak",
           .value = "",
           .default_value = "",
           .help = "Exit 1 where a run leaks"},
};

/// "+1.00 MB/s", "-3.20 kB/s".
std::string rate(double per_s) { return (per_s < 0 ? "-" : "+") + format_rate(std::abs(per_s)); }

std::string bytes(double value) {
  return format_bytes(static_cast<std::uint64_t>(std::max(0.0, value)));
}

std::string seconds(double value) { return run::format_seconds(value); }

/// A date: "2026-11-23".
std::string date(std::int64_t since_epoch) {
  char text[25];
  format_time(WallTime(std::chrono::seconds(since_epoch)), text);
  return std::string(text, 10);
}

std::string time_text(WallTime time) {
  char text[25];
  format_time(time, text);
  return text;
}

struct Lines {
  std::string text;
  void add(std::string_view label, std::string_view value) {
    text += fmt::format("{:<12} {}\n", label, run::printable(value));
  }
};

void add_run(Lines& lines, const Run& run, const Trend& trend, std::size_t index) {
  lines.text += '\n';
  lines.add(fmt::format("run {}", index + 1),
            fmt::format("{}, {} for {}, {}{}", run.who.empty() ? run.recording : run.who,
                        time_text(run.first), seconds(run.duration_s()),
                        run::plural(run.series.samples(), "sample"),
                        run.limit_bytes ? ", limit " + format_bytes(*run.limit_bytes) : ""));
  lines.add("verdict", words(trend.pattern));
  lines.add("why", trend.why);
  if (trend.grows) lines.add("what grows", recording::name(*trend.grows));
  for (const Trend::OfKind& each : trend.kinds) {
    lines.add(recording::name(each.kind),
              fmt::format("{} (95 %: {} to {}), {} first, {} last", rate(each.slope.per_s),
                          rate(each.slope.low), rate(each.slope.high), bytes(each.first),
                          bytes(each.last)));
  }
  if (trend.to_oom) {
    lines.add("OOM in", fmt::format("{}, from {} to {}", seconds(trend.to_oom->likely_s),
                                    seconds(trend.to_oom->early_s),
                                    trend.to_oom->late_s ? seconds(*trend.to_oom->late_s)
                                                         : std::string("never")));
  }
  if (run.killed()) lines.add("ended", "OOM-killed");
  if (run.account.lost > 0) lines.add("lost", fmt::format("{} events", run.account.lost));
  if (run.clock_steps > 0) {
    lines.add("clock", fmt::format("stepped back {}: the curve goes on as if it had not",
                                   run::plural(run.clock_steps, "time")));
  }
  if (run.gap_s > 0) {
    lines.add("gap", fmt::format("{} without a sample: nothing was recorded, or the clock was set",
                                 seconds(run.gap_s)));
  }
}

std::string text_report(const Runs& runs, const std::vector<Trend>& trends, bool weekly) {
  Lines lines;
  for (const Runs::Source& source : runs.sources()) {
    const auto& counts = source.counts;
    lines.add(
        "recording",
        fmt::format("{}: {} events, {} other lines{}{}", source.path, counts.events, counts.foreign,
                    counts.duplicates > 0 ? fmt::format(", {} came twice", counts.duplicates) : "",
                    counts.broken > 0 ? fmt::format(", {} broken", counts.broken) : ""));
    for (const auto& problem : source.problems) lines.add("", describe(problem, counts));
  }
  for (std::size_t i = 0; i < trends.size(); ++i) add_run(lines, runs.all()[i], trends[i], i);
  if (runs.left_out() > 0) {
    lines.add("left out", fmt::format("{} runs beyond {}", runs.left_out(), Runs::kMostRuns));
  }
  const Restarts restarts = restarts_of(runs.all());
  if (restarts.runs > 1) {
    lines.text += '\n';
    lines.add("restarts", fmt::format("{} runs, {} OOM-killed, {} ended otherwise", restarts.runs,
                                      restarts.killed, restarts.other));
    if (restarts.median_life_s) {
      lines.add("lives",
                fmt::format("{} until the kill ({} to {}){}", seconds(*restarts.median_life_s),
                            seconds(restarts.shortest_s), seconds(restarts.longest_s),
                            !restarts.regular   ? ""
                            : *restarts.regular ? ": alike, a leak at its own pace"
                                                : ": unlike, it follows the load"));
    }
  }
  if (weekly) {
    lines.text += '\n';
    for (const Week& week : weeks_of(runs)) {
      lines.add(
          "week of",
          fmt::format("{}: median {}{}, p99 {}, peak {}, {}, {}", date(week.begin_s),
                      format_bytes(week.median_bytes),
                      week.change_percent ? fmt::format(" ({:+.1f} %)", *week.change_percent) : "",
                      format_bytes(week.p99_bytes), format_bytes(week.peak_bytes),
                      run::plural(week.kills, "OOM kill"), run::plural(week.samples, "sample")));
    }
  }
  return lines.text;
}

Json json_slope(const Slope& slope) {
  return {{"bytes_per_s", slope.per_s}, {"low", slope.low}, {"high", slope.high}};
}

template <class T>
Json maybe(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

std::string json_report(const Runs& runs, const std::vector<Trend>& trends) {
  Json json;
  json["leak"] =
      std::any_of(trends.begin(), trends.end(), [](const Trend& t) { return t.leaks(); });
  json["runs"] = Json::array();
  for (std::size_t i = 0; i < trends.size(); ++i) {
    const Run& run = runs.all()[i];
    const Trend& trend = trends[i];
    Json one = {{"recording", run.recording},
                {"who", run.who},
                {"first", time_text(run.first)},
                {"duration_s", run.duration_s()},
                {"samples", run.series.samples()},
                {"limit_bytes", maybe(run.limit_bytes)},
                {"oom_killed", run.killed()},
                {"pattern", name(trend.pattern)},
                {"leak", trend.leaks()},
                {"why", trend.why},
                {"grows", trend.grows ? Json(recording::name(*trend.grows)) : Json(nullptr)},
                {"pace", trend.pace ? json_slope(*trend.pace) : Json(nullptr)}};
    if (trend.to_oom) {
      one["to_oom"] = {{"likely_s", trend.to_oom->likely_s},
                       {"early_s", trend.to_oom->early_s},
                       {"late_s", maybe(trend.to_oom->late_s)}};
    } else {
      one["to_oom"] = nullptr;
    }
    one["kinds"] = Json::object();
    for (const Trend::OfKind& each : trend.kinds) {
      Json kind = json_slope(each.slope);
      kind["first_bytes"] = each.first;
      kind["last_bytes"] = each.last;
      one["kinds"][std::string(recording::name(each.kind))] = kind;
    }
    one["lost_events"] = run.account.lost;
    one["clock_steps"] = run.clock_steps;
    one["gap_s"] = run.gap_s;
    json["runs"].push_back(one);
  }
  const Restarts restarts = restarts_of(runs.all());
  json["restarts"] = {{"runs", restarts.runs},
                      {"oom_killed", restarts.killed},
                      {"ended_otherwise", restarts.other},
                      {"median_life_s", maybe(restarts.median_life_s)},
                      {"regular", maybe(restarts.regular)}};
  json["weeks"] = Json::array();
  for (const Week& week : weeks_of(runs)) {
    json["weeks"].push_back({{"begin", date(week.begin_s)},
                             {"samples", week.samples},
                             {"median_bytes", week.median_bytes},
                             {"p99_bytes", week.p99_bytes},
                             {"peak_bytes", week.peak_bytes},
                             {"oom_kills", week.kills},
                             {"change_percent", maybe(week.change_percent)}});
  }
  json["recordings"] = Json::array();
  for (const Runs::Source& source : runs.sources()) {
    json["recordings"].push_back({{"path", source.path},
                                  {"events", source.counts.events},
                                  {"foreign", source.counts.foreign},
                                  {"broken", source.counts.broken},
                                  {"duplicates", source.counts.duplicates}});
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

constinit const Command kTrendCommand = {
    .program = "oomdrill",
    .name = "trend",
    .synopsis = "RECORDING…",
    .summary = "Leak or not: what grows, how fast, in which pattern, and when it meets the limit.",
    .options = kOptions,
    .epilogue =
        "Examples:\n"
        "  oomdrill trend drill.jsonl\n"
        "  aws logs get-log-events … | oomdrill trend -\n"
        "  oomdrill trend --fail-on-leak --format json task-*.log.gz\n",
    .takes_positionals = true};

ExitCode run_trend(const Arguments& arguments, drill::Streams& streams) {
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
  std::vector<Trend> trends;
  for (const Run& run : runs->all()) trends.push_back(classify(run));
  const bool weekly = arguments.flag("weeks") || runs->weeks().size() > 1;
  streams.out << (*is_json ? json_report(*runs, trends) : text_report(*runs, trends, weekly));
  const bool leaks =
      std::any_of(trends.begin(), trends.end(), [](const Trend& trend) { return trend.leaks(); });
  return leaks && arguments.flag("fail-on-leak") ? ExitCode::otherwise : ExitCode::as_expected;
}

}  // namespace oomdrill::trend
