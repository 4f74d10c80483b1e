#include "report/content.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/units.h"
#include "rightsize/advice.h"
#include "run/process.h"
#include "run/summary.h"
#include "run/verdict.h"
#include "trend/classify.h"
#include "trend/restarts.h"

namespace oomdrill::report {
namespace {

using recording::Account;
using recording::Kind;
using recording::Run;
using recording::Runs;

std::string bytes(double value) {
  return format_bytes(static_cast<std::uint64_t>(std::max(0.0, value)));
}

std::string bytes(const std::optional<std::uint64_t>& value) {
  return value ? format_bytes(*value) : "unknown";
}

/// "+1.00 MB/s", "-3.20 kB/s".
std::string rate(double per_s) { return (per_s < 0 ? "-" : "+") + format_rate(std::abs(per_s)); }

std::string utc(WallTime time) {
  char text[25];
  format_time(time, text);
  return text;
}

std::string_view label(Kind kind) {
  switch (kind) {
    case Kind::used:
      return "all that is charged";
    case Kind::less_cache:
      return "usage less page cache";
    case Kind::anon:
      return "anonymous";
    case Kind::file:
      return "page cache and shared";
    case Kind::shmem:
      return "shared (tmpfs, memfd)";
    case Kind::live:
      return "in use, by leaksim's ledger";
    default:
      return name(kind);
  }
}

/// Of the times that a table shows: the day, where it is one and the same for all; then the times
/// themselves need not say it.
std::string day_of(WallTime first, WallTime last) {
  const std::string day = utc(first).substr(0, 10);
  return day == utc(last).substr(0, 10) ? day : "";
}

/// "8.09 s", and never "-0.00 s".
std::string after_text(double seconds) {
  return fmt::format("{:.2f} s", std::abs(seconds) < 0.005 ? 0.0 : seconds);
}

/// Everything that several sections need.
struct View {
  const Runs& runs;
  const Run& run;
  const Extras& extras;
  trend::Trend trend;
  run::Verdict verdict;
  WallTime origin;

  [[nodiscard]] double after(WallTime time) const { return to_seconds(time - origin); }
  /// Of a time on the alarms' scale.
  [[nodiscard]] double unstretched(double seconds) const { return seconds / extras.stretch; }
  /// "1.23 s", and where the drill stands for a longer one, for how long.
  [[nodiscard]] std::string scaled(double seconds) const {
    std::string text = run::format_seconds(seconds);
    if (extras.stretch != 1) {
      text +=
          fmt::format(" ({} on the alarms' scale)", run::format_seconds(seconds * extras.stretch));
    }
    return text;
  }
  /// Of a bucket's time, which counts from the first event.
  [[nodiscard]] double shift() const { return to_seconds(run.first - origin); }
  [[nodiscard]] std::string percent(double value) const {
    if (!run.limit_bytes || *run.limit_bytes == 0) return "";
    return fmt::format("{:.1f} %", 100 * value / static_cast<double>(*run.limit_bytes));
  }
};

std::string subject(const Run& run) { return run.who.empty() ? run.recording : run.who; }

std::string kill_words(const recording::OomKill& kill) {
  std::string text = "OOM kill";
  if (!kill.victim_name.empty()) text += " of " + kill.victim_name;
  if (kill.victim_pid) text += fmt::format(" (process {})", *kill.victim_pid);
  if (!kill.scope.empty()) text += ", scope " + kill.scope;
  if (kill.lived_on()) text += "; the container lived on";
  return text;
}

std::string exit_words(const recording::WorkloadExit& exited) {
  return fmt::format("{}{}{}", exited.verdict,
                     exited.exit_code ? fmt::format(", exit code {}", *exited.exit_code) : "",
                     exited.signal.empty() ? "" : " (" + exited.signal + ")");
}

/// Of a leak, the one number that all of the report goes by: as `oomdrill trend` and the table of
/// the kinds have it, and of a sawtooth its floor's.
std::optional<trend::Slope> growth(const trend::Trend& trend) {
  if (!trend.leaks() || !trend.pace) return std::nullopt;
  const bool floor = trend.pattern == trend::Pattern::sawtooth || trend.kinds.empty();
  const trend::Slope slope = floor ? *trend.pace : trend.kinds.front().slope;
  return slope.per_s > 0 ? std::optional(slope) : std::nullopt;
}

/// Neither its own last word nor the drill's: the recording may be of one that lives still.
bool has_end(const View& view) {
  return view.run.account.exited || view.run.account.drill_end || view.run.killed();
}

constexpr std::string_view kNoEnd = "how it ended is not known: the recording breaks off";

std::string summary(const View& view) {
  const Account& account = view.run.account;
  std::string text = view.run.who.empty() ? "The workload of " + view.run.recording : view.run.who;
  if (!account.kills.empty()) {
    const auto& kill = account.kills.front();
    const std::string when =
        fmt::format("{} after its {} began", run::format_seconds(view.after(kill.time)),
                    account.leak ? "leak" : "run");
    const std::string at =
        fmt::format("at {}{}", bytes(kill.used_bytes ? kill.used_bytes : account.peak_bytes),
                    view.run.limit_bytes ? " of " + format_bytes(*view.run.limit_bytes) : "");
    if (view.run.killed() && !kill.lived_on()) {
      text += fmt::format(" was OOM-killed {}, {}.", when, at);
    } else {
      text += fmt::format(": {} an OOM kill hit it, {}, and {}.", when, at,
                          kill.lived_on()  ? "it survived"
                          : !kill.survived ? "whether it survived is not told"
                          : account.exited ? "it ended with it: " + exit_words(*account.exited)
                                           : "it did not survive");
      if (account.kills_total > 1) {
        text += fmt::format(" There were {} OOM kills in all{}.", account.kills_total,
                            view.run.killed() ? ", the last of which ended it" : "");
      }
    }
  } else {
    const std::string seen = run::format_seconds(view.run.duration_s());
    // A kill without its event is what the drill saw from outside.
    text += has_end(view) ? fmt::format(" was {}OOM-killed in {}",
                                        view.verdict.outcome == "oom_killed" ? "" : "not ", seen)
                          : fmt::format(": {} after {}", kNoEnd, seen);
    text += fmt::format("; at most it used {}{}.", bytes(account.peak_bytes),
                        view.run.limit_bytes ? " of " + format_bytes(*view.run.limit_bytes) : "");
  }
  text += fmt::format(" Its memory: {}; {}.", words(view.trend.pattern), view.trend.why);
  if (const auto slope = growth(view.trend)) {
    text +=
        fmt::format(" {} by {} (95 %: {} to {})",
                    view.trend.pattern == trend::Pattern::sawtooth ? "Its floor rose" : "It grew",
                    format_rate(slope->per_s), rate(slope->low), rate(slope->high));
    if (view.trend.grows) text += fmt::format(", mostly {}", label(*view.trend.grows));
    text += '.';
  }
  if (view.extras.alarms && !view.extras.alarms->empty()) {
    const auto& alarms = *view.extras.alarms;
    const auto before = std::count_if(alarms.begin(), alarms.end(), [](const AlarmResult& each) {
      return each.fired == "before";
    });
    text += fmt::format(" Of {} alarms {} fired before the kill.", alarms.size(),
                        before == 0 ? std::string("none") : std::to_string(before));
  }
  return text;
}

Section timeline(const View& view) {
  const Account& account = view.run.account;
  struct Entry {
    WallTime time;
    std::string what;
  };
  std::vector<Entry> entries;
  if (account.probe) {
    entries.push_back({account.probe->time, fmt::format("watched from here on; limit {} ({})",
                                                        bytes(account.probe->limit_bytes),
                                                        account.probe->limit_source)});
  }
  if (account.started)
    entries.push_back({account.started->time, "started: " + account.started->command});
  if (account.leak) {
    entries.push_back(
        {account.leak->time, fmt::format("leak starts: {}{}", account.leak->pattern,
                                         account.leak->rate_bytes_per_s
                                             ? ", " + format_rate(*account.leak->rate_bytes_per_s)
                                             : "")});
  }
  for (const auto& threshold : account.thresholds) {
    entries.push_back(
        {threshold.time,
         fmt::format("{:g} % {}{}{}", threshold.percent, threshold.up ? "passed" : "left again",
                     threshold.used_bytes ? " at " + format_bytes(*threshold.used_bytes) : "",
                     threshold.eta_oom_s
                         ? ", " + run::format_seconds(*threshold.eta_oom_s) + " to the limit"
                         : "")});
  }
  if (account.full_since) entries.push_back({*account.full_since, "at the limit from here on"});
  for (const auto& kill : account.kills) entries.push_back({kill.time, kill_words(kill)});
  if (account.exited) {
    entries.push_back({account.exited->time, "ended: " + exit_words(*account.exited)});
  }
  if (view.extras.alarms) {
    for (const auto& alarm : *view.extras.alarms) {
      for (const auto& change : alarm.transitions) {
        std::string what = fmt::format("alarm {}: {} to {}", alarm.name, change.from, change.to);
        if (view.extras.stretch != 1) {
          what += fmt::format(" (after {} on its scale)", run::format_seconds(change.after_s));
        }
        entries.push_back(
            {view.origin + from_seconds(view.unstretched(change.after_s)), std::move(what)});
      }
    }
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.time < b.time; });
  const std::string day = entries.empty() ? "" : day_of(entries.front().time, entries.back().time);
  Table table{fmt::format("Seconds from the start of the {}{}", account.leak ? "leak" : "recording",
                          day.empty() ? "" : "; the day is " + day),
              {"After", "UTC", "What"},
              {}};
  for (const Entry& entry : entries) {
    table.rows.push_back({after_text(view.after(entry.time)),
                          day.empty() ? utc(entry.time) : utc(entry.time).substr(11), entry.what});
  }
  Section section{"Timeline", {std::move(table)}};
  for (const auto& warning : account.warnings)
    section.blocks.push_back(Paragraph{"Warning: " + warning});
  return section;
}

Chart::Curve curve(const View& view, Kind kind, std::string label) {
  Chart::Curve curve{std::move(label), {}};
  for (const auto& bucket : view.run.series.buckets()) {
    if (const auto* stat = bucket.stat(kind)) {
      curve.points.emplace_back(bucket.middle_s() + view.shift(), static_cast<double>(stat->max));
    }
  }
  return curve;
}

void add_curve(const View& view, Chart& chart, Kind kind, std::string label) {
  auto made = curve(view, kind, std::move(label));
  if (!made.points.empty()) chart.curves.push_back(std::move(made));
}

void add_kills(const View& view, Chart& chart) {
  const auto& kills = view.run.account.kills;
  for (std::size_t i = 0; i < std::min<std::size_t>(kills.size(), 3); ++i) {
    chart.marks.push_back({"OOM kill", view.after(kills[i].time), true});
  }
}

Section usage(const View& view) {
  Chart chart;
  chart.title = "Usage against the limit";
  add_curve(view, chart, Kind::used, "charged to the cgroup");
  add_curve(view, chart, Kind::working_set, "working set (docker stats)");
  add_curve(view, chart, Kind::ecs_used, "as CloudWatch sees it");
  if (view.run.limit_bytes) {
    chart.levels.push_back({"limit " + format_bytes(*view.run.limit_bytes),
                            static_cast<double>(*view.run.limit_bytes)});
  }
  std::vector<double> seen;
  for (const auto& threshold : view.run.account.thresholds) {
    if (!threshold.up || std::find(seen.begin(), seen.end(), threshold.percent) != seen.end())
      continue;
    seen.push_back(threshold.percent);
    chart.marks.push_back({fmt::format("{:g} %", threshold.percent), view.after(threshold.time)});
  }
  if (view.extras.alarms) {
    for (const auto& alarm : *view.extras.alarms) {
      if (alarm.fired_after_s) {
        chart.marks.push_back({"ALARM " + alarm.name, view.unstretched(*alarm.fired_after_s)});
      }
    }
  }
  add_kills(view, chart);
  const auto last = view.run.last_seen(Kind::used);
  chart.description = fmt::format(
      "Usage over {}: {} {}{}{}.", run::format_seconds(view.run.series.duration_s()),
      last ? bytes(*last) : "unknown",
      view.run.before_kill ? "before the first OOM kill" : "at the end",
      view.run.limit_bytes ? ", under a limit of " + format_bytes(*view.run.limit_bytes) : "",
      view.run.account.kills.empty() ? "" : ", where the kernel killed");
  return {"Usage against the limit", {std::move(chart)}};
}

/// As the table of the kinds has it, whether that is a leak or not.
std::string what_grew(const View& view) {
  if (view.trend.kinds.empty()) return "There are too few samples to say what grew.";
  const trend::Trend::OfKind* most = nullptr;
  for (const auto& each : view.trend.kinds) {
    const bool counts =
        each.kind == Kind::anon || each.kind == Kind::shmem || each.kind == Kind::kernel;
    if (!counts || (each.last <= each.first && !each.slope.rises())) continue;
    if (each.kind == view.trend.grows) {
      most = &each;
      break;
    }
    if (most == nullptr || each.last - each.first > most->last - most->first) most = &each;
  }
  if (most == nullptr) return "No kind of memory that counts grew.";
  return fmt::format(
      "What {} is {}: {}.", view.trend.leaks() ? "grows" : "grew most", label(most->kind),
      most->last > most->first ? fmt::format("from {} to {}", bytes(most->first), bytes(most->last))
                               : fmt::format("by {} in the median", rate(most->slope.per_s)));
}

Section kinds(const View& view) {
  Chart chart;
  chart.title = "By kind of memory";
  add_curve(view, chart, Kind::anon, "anonymous (heap, stacks)");
  add_curve(view, chart, Kind::file, "page cache and shared");
  add_curve(view, chart, Kind::shmem, "shared (tmpfs, memfd)");
  add_curve(view, chart, Kind::kernel, "kernel");
  add_curve(view, chart, Kind::live, "in use, by leaksim's ledger");
  add_kills(view, chart);
  Table table{"Change a second: Theil and Sen's slope with its 95 % interval",
              {"Kind", "First", "Last", "Slope", "From", "To"},
              {}};
  for (const auto& each : view.trend.kinds) {
    table.rows.push_back({std::string(label(each.kind)), bytes(each.first), bytes(each.last),
                          rate(each.slope.per_s), rate(each.slope.low), rate(each.slope.high)});
  }
  chart.description = what_grew(view);
  Section section{"Breakdown by kind", {}};
  if (!chart.curves.empty()) section.blocks.push_back(std::move(chart));
  if (!table.rows.empty()) section.blocks.push_back(std::move(table));
  if (section.blocks.empty())
    section.blocks.push_back(Paragraph{"The recording does not break memory down."});
  return section;
}

Section observers(const View& view) {
  Table table{view.run.before_kill ? "At the last sample before the first OOM kill"
                                   : "At the last sample before the end",
              {"Observer", "Shows", "Of the limit", "Counts"},
              {}};
  const auto add = [&](const char* who, Kind kind, const char* what) {
    if (const auto last = view.run.last_seen(kind)) {
      table.rows.push_back({who, bytes(*last), view.percent(*last), what});
    }
  };
  add("the kernel", Kind::used, "everything that is charged; the OOM killer decides by it");
  add("docker stats, kubelet", Kind::working_set, "less inactive page cache");
  add("CloudWatch MemoryUtilization", Kind::ecs_used,
      "by the ECS agent's formula: on cgroup v1 less all cache, shared memory included");
  add("heap and stacks", Kind::anon, "anonymous memory of all processes");
  add("leaksim's own ledger", Kind::live, "what it holds");
  Section section{"What each observer saw", {}};
  if (table.rows.empty()) {
    section.blocks.push_back(Paragraph{"The recording has no samples."});
    return section;
  }
  section.blocks.push_back(std::move(table));
  const auto used = view.run.last_seen(Kind::used);
  const auto cloud = view.run.last_seen(Kind::ecs_used);
  if (used && cloud && *cloud < 0.8 * *used) {
    section.blocks.push_back(Paragraph{fmt::format(
        "A blind spot: CloudWatch leaves {} out, {} of what the kernel counts. An alarm on "
        "MemoryUtilization cannot see it; alarm on the probe's used_bytes.",
        bytes(*used - *cloud), fmt::format("{:.0f} %", 100 * (1 - *cloud / *used)))});
  }
  return section;
}

Section alarms(const View& view) {
  const Account& account = view.run.account;
  Section section{"Alarms and their lead", {}};
  if (!view.extras.alarms) {
    section.blocks.push_back(
        Paragraph{"No alarms were evaluated against this incident: give --alarms."});
    return section;
  }
  std::string caption = "Lead: time before the first OOM kill; negative: after it";
  if (view.extras.stretch != 1) {
    caption +=
        fmt::format(". A second of the drill counts as {:g} for alarms: all times here are so",
                    view.extras.stretch);
  }
  Table table{std::move(caption), {"Alarm", "Fired", "After", "Lead", "Why"}, {}};
  for (const auto& alarm : *view.extras.alarms) {
    const bool fired = alarm.fired == "before" || alarm.fired == "after";
    table.rows.push_back(
        {alarm.name, alarm.fired + (fired && !account.kills.empty() ? " the kill" : ""),
         alarm.fired_after_s ? run::format_seconds(*alarm.fired_after_s) : "",
         alarm.lead_s
             ? (*alarm.lead_s < 0 ? "-" : "") + run::format_seconds(std::abs(*alarm.lead_s))
             : "",
         alarm.why});
  }
  section.blocks.push_back(std::move(table));
  for (const auto& alarm : *view.extras.alarms) {
    if (!alarm.suggestion.empty()) {
      section.blocks.push_back(Paragraph{"Instead of " + alarm.name + ": " + alarm.suggestion});
    }
  }
  return section;
}

Section scaling(const View& view) {
  Section section{"Scaling", {}};
  if (!view.extras.scaling || view.extras.scaling->empty()) {
    section.blocks.push_back(Paragraph{
        "No scaling was recorded. More tasks give a leak more room to grow in, not an end."});
    return section;
  }
  Table table{"What the scaling policy did", {"After", "What"}, {}};
  for (const auto& each : *view.extras.scaling) {
    table.rows.push_back({run::format_seconds(each.after_s), each.what});
  }
  section.blocks.push_back(std::move(table));
  return section;
}

Section evidence(const View& view) {
  const Account& account = view.run.account;
  Section section{"Verdict and evidence", {}};
  // Without the drill's own word, "unknown" is of a recording that has no end.
  const bool cut_off = view.verdict.outcome == "unknown" && !account.drill_end && !account.exited;
  section.blocks.push_back(Paragraph{
      cut_off ? std::string(kNoEnd)
              : fmt::format("{} ({}){}", view.verdict.outcome, name(view.verdict.confidence),
                            view.verdict.why.empty() ? "" : ": " + view.verdict.why)});
  for (const auto& each : view.verdict.disagreements)
    section.blocks.push_back(Paragraph{"Disagrees: " + each});
  Table table{"What it rests on", {"Evidence", "Value"}, {}};
  if (!account.kills.empty()) {
    const auto& kill = account.kills.front();
    if (kill.before && kill.after) {
      table.rows.push_back(
          {"oom_kill counter", fmt::format("{} to {}", *kill.before, *kill.after)});
    }
    if (kill.sample_age_s) {
      table.rows.push_back(
          {"last sample before the kill", run::format_seconds(*kill.sample_age_s) + " before"});
    }
    table.rows.push_back({"OOM kills", std::to_string(account.kills_total)});
  }
  table.rows.push_back({"peak", bytes(account.peak_bytes)});
  table.rows.push_back(
      {"limit", bytes(view.run.limit_bytes) + (account.probe && !account.probe->limit_where.empty()
                                                   ? ", from " + account.probe->limit_where
                                                   : "")});
  table.rows.push_back(
      {"pattern", fmt::format("{}: {}", words(view.trend.pattern), view.trend.why)});
  for (const auto& source : view.runs.sources()) {
    table.rows.push_back(
        {"recording", fmt::format("{}: {} events, {} other lines, {} broken, {} twice", source.path,
                                  source.counts.events, source.counts.foreign, source.counts.broken,
                                  source.counts.duplicates)});
    for (const auto& problem : source.problems)
      table.rows.push_back({"", describe(problem, source.counts)});
  }
  if (account.lost > 0) table.rows.push_back({"events lost", std::to_string(account.lost)});
  if (view.run.clock_steps > 0) {
    table.rows.push_back(
        {"clock", fmt::format("stepped back {}", run::plural(view.run.clock_steps, "time"))});
  }
  if (view.run.gap_s > 0) {
    table.rows.push_back(
        {"gap", fmt::format("{} without a sample: nothing was recorded, or the clock was set",
                            run::format_seconds(view.run.gap_s))});
  }
  section.blocks.push_back(std::move(table));

  if (view.runs.all().size() > 1) {
    Table others{"All runs", {"Run", "Began", "Lasted", "Peak", "Ended", "Memory"}, {}};
    for (const Run& run : view.runs.all()) {
      if (others.rows.size() == 50) {
        others.rows.push_back(
            {fmt::format("and {} more", view.runs.all().size() - 50), "", "", "", "", ""});
        break;
      }
      others.rows.push_back({subject(run), utc(run.first), run::format_seconds(run.duration_s()),
                             bytes(run.account.peak_bytes),
                             run.killed()         ? "OOM-killed"
                             : run.account.exited ? run.account.exited->verdict
                                                  : "no end recorded",
                             std::string(words(trend::classify(run).pattern))});
    }
    section.blocks.push_back(std::move(others));
    const auto restarts = trend::restarts_of(view.runs.all());
    if (restarts.median_life_s) {
      section.blocks.push_back(Paragraph{fmt::format(
          "{} of {} runs were OOM-killed, after {} in the median ({} to {}).", restarts.killed,
          restarts.runs, run::format_seconds(*restarts.median_life_s),
          run::format_seconds(restarts.shortest_s), run::format_seconds(restarts.longest_s))});
    }
  }
  return section;
}

Section changes(const View& view) {
  Section section{"What to change", {}};
  const auto say = [&](std::string text) { section.blocks.push_back(Paragraph{std::move(text)}); };
  const auto slope = growth(view.trend);
  if (slope) {
    say(fmt::format(
        "Fix the growth{}: {}. At this pace a limit twice as high buys {}, and no more.",
        view.trend.grows ? " of memory that is " + std::string(label(*view.trend.grows)) : "",
        format_rate(slope->per_s),
        view.run.limit_bytes
            ? run::format_seconds(static_cast<double>(*view.run.limit_bytes) / slope->per_s)
            : "time"));
  }
  if (slope && view.run.limit_bytes) {
    const double limit = static_cast<double>(*view.run.limit_bytes);
    const double room = 0.15 * limit / slope->per_s;
    say(fmt::format(
        "From 85 % to the limit there are {} at {}; two periods of 60 s need 120 s and more. {}",
        view.scaled(room), format_rate(slope->per_s),
        room * view.extras.stretch < 180
            ? "Alarm earlier, on shorter periods, or on the probe's growth and ETA."
            : "An alarm at 85 % has the time to fire."));
  }
  if (view.trend.to_oom) {
    say(fmt::format(
        "If it lives, it meets its limit in {} (from {} to {}).",
        run::format_seconds(view.trend.to_oom->likely_s),
        run::format_seconds(view.trend.to_oom->early_s),
        view.trend.to_oom->late_s ? run::format_seconds(*view.trend.to_oom->late_s) : "never"));
  }
  constexpr std::string_view kRemedy = "record for longer, or with a shorter --interval";
  if (!has_end(view)) {
    say("Not known: how it ended, for the recording breaks off, or it lives still; record until "
        "the workload ends.");
  }
  if (view.trend.pattern == trend::Pattern::too_short) {
    say(fmt::format("Not known: whether it leaks. {}; {}.", view.trend.why, kRemedy));
  }
  for (const auto& advice : rightsize::advise(view.runs, {})) {
    if (advice.verdict == rightsize::Verdict::too_little) {
      say(fmt::format("Not known: the size of {}. {}; {}.", advice.who, advice.why, kRemedy));
      continue;
    }
    std::string text = fmt::format("Size of {}: {}; {}.", advice.who,
                                   advice.verdict == rightsize::Verdict::fix_the_leak
                                       ? "leave it"
                                       : std::string(words(advice.verdict)),
                                   advice.why);
    if (advice.saved_gib_per_hour) {
      text += fmt::format(" {} instead of {} {} {}.", format_bytes(advice.memory_bytes),
                          bytes(advice.limit_bytes),
                          *advice.saved_gib_per_hour >= 0 ? "saves" : "costs",
                          rightsize::gib_hours(*advice.saved_gib_per_hour));
    }
    say(text);
  }
  return section;
}

Section commands(const View& view) {
  Commands commands;
  const Account& account = view.run.account;
  if (account.drill && !account.drill->command.empty()) {
    commands.lines.push_back(account.drill->command);
  } else if (account.leak) {
    std::vector<std::string> words = {"oomdrill", "run"};
    if (view.run.limit_bytes) {
      words.insert(words.end(), {"-m", std::to_string(*view.run.limit_bytes)});
    }
    words.insert(words.end(), {"--", "--pattern", account.leak->pattern});
    commands.lines.push_back(run::join_command(words));
  }
  for (const char* command : {"trend", "rightsize", "report"}) {
    std::vector<std::string> words = {"oomdrill", command};
    for (const auto& source : view.runs.sources()) words.push_back(source.path);
    if (std::string_view(command) == "report") {
      if (!view.extras.alarm_source.empty()) {
        words.insert(words.end(), {"--alarms", view.extras.alarm_source});
      }
      words.insert(words.end(), {"-o", "report.html"});
    }
    commands.lines.push_back(run::join_command(words));
  }
  return {"The commands to repeat it", {std::move(commands)}};
}

}  // namespace

const Run& incident_of(const Runs& runs) {
  const auto& all = runs.all();
  const auto killed = std::find_if(all.begin(), all.end(), [](const Run& run) {
    return !run.account.kills.empty() || run.killed();
  });
  if (killed != all.end()) return *killed;
  const auto fullness = [](const Run& run) {
    const double peak = static_cast<double>(run.account.peak_bytes.value_or(0));
    return run.limit_bytes && *run.limit_bytes > 0 ? peak / static_cast<double>(*run.limit_bytes)
                                                   : 0;
  };
  return *std::max_element(all.begin(), all.end(),
                           [&](const Run& a, const Run& b) { return fullness(a) < fullness(b); });
}

Document compose(const Runs& runs, const Extras& extras) {
  const Run& run = incident_of(runs);
  const View view{runs,
                  run,
                  extras,
                  trend::classify(run),
                  run::recorded_verdict(run.account),
                  run.account.origin().value_or(run.first)};
  Document document;
  document.title = fmt::format("{}: {}", run.account.kills.empty() ? "Memory review" : "OOM review",
                               subject(run));
  document.summary = summary(view);
  document.sections = {timeline(view), usage(view),    kinds(view),   observers(view), alarms(view),
                       scaling(view),  evidence(view), changes(view), commands(view)};
  return document;
}

}  // namespace oomdrill::report
