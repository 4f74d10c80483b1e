#include "run/summary.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "alarm/report.h"
#include "base/units.h"
#include "report/escape.h"
#include "run/process.h"

namespace oomdrill::run {
namespace {

using Json = nlohmann::ordered_json;

/// Long enough for 1 KB/s into 2 GiB; a leak that is slower says that it is beyond.
constexpr auto kHorizon = std::chrono::hours(24 * 30);

std::string describe_limit(std::string_view source, std::string_view where) {
  std::string text = source.empty() ? "limit" : printable(source);
  // The folder is the engine's, and told above.
  if (!where.empty()) text += ": " + printable(where.substr(where.rfind('/') + 1));
  return text;
}

/// The file that the limit was read from, where it is the probe's limit that killed.
std::string_view limit_where_of(const Drill& drill) {
  const auto& account = drill.account;
  if (!account.probe) return "";
  const bool same =
      account.kills.empty() || account.probe->limit_source == account.kills.front().limit_source;
  return same ? std::string_view(account.probe->limit_where) : "";
}

/// The limit that bound: as the kill says, or the probe, or as it was asked for.
std::uint64_t limit_of(const Drill& drill) {
  const auto& account = drill.account;
  if (!account.kills.empty() && account.kills.front().limit_bytes) {
    return *account.kills.front().limit_bytes;
  }
  if (account.probe && account.probe->limit_bytes) return *account.probe->limit_bytes;
  return drill.memory_bytes;
}

std::optional<std::uint64_t> peak_of(const Drill& drill) {
  std::optional<std::uint64_t> peak = drill.account.peak_bytes;
  if (drill.outside.after && drill.outside.after->peak_bytes) {
    peak = std::max(peak.value_or(0), *drill.outside.after->peak_bytes);
  }
  return peak;
}

/// When what was predicted came about; nullopt where something else did.
std::optional<double> actual_s(const Drill& drill) {
  const auto& account = drill.account;
  if (!drill.prediction) return std::nullopt;
  if (drill.prediction->end == predict::Prediction::End::oom_kill) {
    if (account.kills.empty()) return std::nullopt;
    return account.after_s(account.kills.front().time);
  }
  // With --hold growth ends long before the leak does.
  if (drill.prediction->end != predict::Prediction::End::oom_kill && account.holding_since) {
    return account.after_s(*account.holding_since);
  }
  if (account.leak_state && account.leak_state->stopped == predict::name(drill.prediction->end)) {
    return account.after_s(account.leak_state->time);
  }
  return std::nullopt;
}

class Lines {
 public:
  void add(std::string_view name, const std::string& text) {
    text_ += fmt::format("{:<12} {}\n", name, text);
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

/// The first kill as the probe told it, or else what is known of one that it did not live to tell.
std::optional<recording::OomKill> kill_of(const Drill& drill) {
  const auto& account = drill.account;
  if (!account.kills.empty()) return account.kills.front();
  if (drill.verdict.outcome != "oom_killed") return std::nullopt;
  recording::OomKill kill;
  kill.time = drill.outside.ended;
  kill.kills = drill.outside.oom_kills().value_or(1);
  if (account.usage) kill.used_bytes = account.usage->used_bytes;
  if (account.probe) kill.limit_source = account.probe->limit_source;
  return kill;
}

/// How long the kernel reclaimed at the limit before it killed.
std::optional<double> full_s(const Drill& drill, const recording::OomKill& kill) {
  const auto& since = drill.account.full_since;
  if (!since || kill.time < *since) return std::nullopt;
  return to_seconds(kill.time - *since);
}

void add_kill(Lines& lines, const Drill& drill) {
  const auto& account = drill.account;
  const auto kill = kill_of(drill);
  if (!kill) return;
  std::string text;
  if (const auto after = account.after_s(kill->time)) {
    text = (account.kills.empty() ? "within " : "after ") + format_seconds(*after);
    if (const auto full = full_s(drill, *kill)) {
      text += fmt::format(", the last {} at the limit", format_seconds(*full));
    }
  }
  if (kill->used_bytes) {
    text += fmt::format("{}at {} of {}", text.empty() ? "" : ", ", format_bytes(*kill->used_bytes),
                        format_bytes(kill->limit_bytes.value_or(limit_of(drill))));
  }
  if (!kill->limit_source.empty()) {
    text += " (" + describe_limit(kill->limit_source, limit_where_of(drill)) + ")";
  }
  if (!kill->victim_name.empty()) text += ", victim " + printable(kill->victim_name);
  lines.add("killed", text);
  if (account.kills_total > 1) {
    lines.add("", fmt::format("{} OOM kills in all", account.kills_total));
  }
  if (kill->lived_on()) lines.add("", "the main process lived on");
}

/// The state whose rate tells of the leak. nullptr: there is none, or it grows by leaps, whose rate
/// at one moment is nothing or all.
const recording::LeakState* steady_state(const recording::Account& account) {
  const auto& state = account.unhindered ? account.unhindered : account.leak_state;
  if (!state || !state->achieved_bytes_per_s) return nullptr;
  const auto& now = state->requested_bytes_per_s;
  const auto asked = account.leak ? account.leak->rate_bytes_per_s : std::nullopt;
  if (now && asked && std::isfinite(*asked) && std::abs(*now - *asked) > *asked / 2) return nullptr;
  return &*state;
}

void add_rate(Lines& lines, const Drill& drill) {
  const auto& account = drill.account;
  if (!account.leak || !account.leak_state) return;
  const recording::LeakState* state = steady_state(account);
  auto asked = account.leak->rate_bytes_per_s;
  if (!asked && state != nullptr) asked = state->requested_bytes_per_s;
  std::string text;
  if (account.leak->workers > 1) text = fmt::format("{} workers, each ", account.leak->workers);
  if (asked) text += format_rate(*asked) + " asked";
  if (state == nullptr) {
    if (asked) lines.add("rate", text + ", on average: it grows by leaps");
    return;
  }
  text += (asked ? ", " : "") + format_rate(*state->achieved_bytes_per_s) + " achieved";
  const auto debt = state->debt_bytes.value_or(0);
  const auto allocated = state->allocated_bytes.value_or(0);
  if (debt > allocated / 100) text += ", " + format_bytes(debt) + " behind the plan";
  lines.add("rate", text);
}

/// Kinds of memory that end in no kill: the kernel takes page cache back, and what was never
/// written it never gave.
bool ends_in_no_kill(std::string_view kind) {
  const auto name = kind.substr(0, kind.find(':'));
  return name == "file" || name == "untouched";
}

void add_prediction(Lines& lines, const Drill& drill) {
  if (!drill.leak) return;
  if (ends_in_no_kill(drill.account.leak->kind)) {
    lines.add("predicted", "no kill: memory of the kind " + printable(drill.account.leak->kind) +
                               " is taken back, or was never held (leaksim explain)");
  }
  if (!drill.prediction) return;
  using End = predict::Prediction::End;
  const auto& prediction = *drill.prediction;
  std::string text;
  if (prediction.end == End::beyond_horizon) {
    text = "no end within " + format_duration(prediction.after);
  } else {
    text = fmt::format("{} after {}", predict::name(prediction.end),
                       format_seconds(to_seconds(prediction.after)));
    if (const auto actual = actual_s(drill)) {
      text += ", actual " + format_seconds(*actual);
      if (const auto error = prediction_error_percent(drill))
        text += fmt::format(" ({:+.1f} %)", *error);
    } else {
      text += ", which did not come about";
    }
  }
  lines.add("predicted", text);
  auto target = drill.leak->until_bytes;
  if (prediction.end == End::oom_kill) target = drill.leak->limit_bytes;
  lines.add("",
            fmt::format("the plan {} in virtual time, from {} at its start{}",
                        printable(drill.leak->pattern) +
                            (drill.leak->times > 1 ? fmt::format(" × {}", drill.leak->times) : ""),
                        format_bytes(drill.leak->used_bytes),
                        target ? " to " + format_bytes(*target) : ""));
  const auto& leak = drill.account.leak;
  if (leak && !leak->allocator.empty() && leak->allocator != "glibc") {
    lines.add("", "as glibc's heap would grow: " + printable(leak->allocator) + "'s is not known");
  }
}

void add_recording(Lines& lines, const Drill& drill) {
  const auto& counts = drill.counts;
  std::string text =
      fmt::format("{}: {} events, {} lost{}", printable(drill.recording), counts.events,
                  drill.account.lost, drill.recorded ? "" : ", not all of them written");
  if (counts.foreign > 0) text += fmt::format(", {} other lines", counts.foreign);
  if (counts.broken > 0) text += fmt::format(", {} broken lines", counts.broken);
  lines.add("recording", text);
  for (const auto& problem : drill.problems) {
    lines.add("", describe(problem, drill.counts));
  }
}

template <class T>
void put(Json& object, const char* name, const std::optional<T>& value) {
  if (value) object[name] = *value;
}

void put(Json& object, const char* name, const std::string& value) {
  if (!value.empty()) object[name] = value;
}

Json json_kill(const Drill& drill) {
  const auto& account = drill.account;
  const auto kill = kill_of(drill);
  if (!kill) return nullptr;
  Json json = Json::object();
  put(json, "after_s", account.after_s(kill->time));
  put(json, "at_limit_s", full_s(drill, *kill));
  // Told from outside, the time is that of the end, and so an upper bound.
  json["told_by"] = account.kills.empty() ? "outside" : "probe";
  put(json, "used_bytes", kill->used_bytes);
  put(json, "sample_age_s", kill->sample_age_s);
  json["limit_bytes"] = limit_of(drill);
  put(json, "limit_source", kill->limit_source);
  put(json, "limit_where", std::string(limit_where_of(drill)));
  put(json, "peak_bytes", peak_of(drill));
  put(json, "scope", kill->scope);
  json["kills"] = account.kills.empty() ? kill->kills : account.kills_total;
  put(json, "victim_pid", kill->victim_pid);
  put(json, "victim_name", kill->victim_name);
  put(json, "survived", kill->survived);
  return json;
}

Json json_observation(const std::optional<Observation>& seen) {
  if (!seen) return nullptr;
  Json json = Json::object();
  put(json, "oom_kill", seen->oom_kill);
  put(json, "oom_group_kill", seen->oom_group_kill);
  put(json, "used_bytes", seen->used_bytes);
  put(json, "peak_bytes", seen->peak_bytes);
  put(json, "limit_bytes", seen->limit_bytes);
  put(json, "engine_oom_killed", seen->engine_oom_killed);
  put(json, "engine_exit_code", seen->engine_exit_code);
  return json;
}

Json json_evidence(const Drill& drill) {
  const auto& account = drill.account;
  Json inside = Json::object();
  inside["oom_kills"] = account.kills_total;
  if (!account.kills.empty()) {
    put(inside, "oom_kill_before", account.kills.front().before);
    put(inside, "oom_kill_after", account.kills.back().after);
  }
  if (account.exited) {
    inside["verdict"] = account.exited->verdict;
    put(inside, "exit_code", account.exited->exit_code);
    put(inside, "signal", account.exited->signal);
    put(inside, "duration_s", account.exited->duration_s);
  }
  Json outside = Json::object();
  outside["where"] = drill.where;
  outside["before"] = json_observation(drill.outside.before);
  outside["after"] = json_observation(drill.outside.after);
  if (drill.outside.status) {
    outside["process"] = describe_status(*drill.outside.status);
    outside["exit_code"] = exit_code_of(*drill.outside.status);
  }
  outside["timed_out"] = drill.outside.timed_out;
  put(outside, "signal", drill.outside.signal);
  return {{"why", drill.verdict.why},
          {"inside", std::move(inside)},
          {"outside", std::move(outside)},
          {"disagreements", drill.verdict.disagreements}};
}

Json json_leak(const Drill& drill) {
  const auto& account = drill.account;
  if (!account.leak) return nullptr;
  Json json = {{"pattern", account.leak->pattern}, {"seed", account.leak->seed}};
  // Infinite as "max": JSON has no infinity.
  if (account.leak->rate_bytes_per_s && std::isfinite(*account.leak->rate_bytes_per_s)) {
    json["rate_bytes_per_s"] = *account.leak->rate_bytes_per_s;
  }
  put(json, "used_bytes_at_start", account.leak->used_bytes);
  if (account.leak->workers > 1) json["workers"] = account.leak->workers;
  if (const auto* state = steady_state(account)) {
    put(json, "achieved_bytes_per_s", state->achieved_bytes_per_s);
    put(json, "debt_bytes", state->debt_bytes);
  }
  if (account.leak_state) put(json, "stopped", account.leak_state->stopped);
  return json;
}

Json json_prediction(const Drill& drill) {
  if (!drill.prediction) return nullptr;
  Json json = {{"end", std::string(predict::name(drill.prediction->end))},
               {"after_s", to_seconds(drill.prediction->after)},
               {"live_bytes", drill.prediction->live_bytes},
               {"from_used_bytes", drill.leak->used_bytes},
               {"limit_bytes", drill.leak->limit_bytes}};
  if (drill.leak->cache_bytes > 0) json["from_cache_bytes"] = drill.leak->cache_bytes;
  put(json, "until_bytes", drill.leak->until_bytes);
  put(json, "actual_s", actual_s(drill));
  put(json, "error_percent", prediction_error_percent(drill));
  return json;
}

Json json_of(const Drill& drill) {
  Json refused = Json::object();
  for (const auto& [engine, why] : drill.refused) refused[engine] = why;
  Json json = {{"kill", json_kill(drill)},
               {"verdict", drill.verdict.outcome},
               {"confidence", std::string(name(drill.verdict.confidence))},
               {"expected", drill.expected},
               {"as_expected", drill.as_expected()},
               {"memory_bytes", drill.memory_bytes},
               {"limit_bytes", limit_of(drill)}};
  put(json, "peak_bytes", peak_of(drill));
  json["workload"] = drill.workload;
  put(json, "command", drill.command);
  json["leak"] = json_leak(drill);
  json["prediction"] = json_prediction(drill);
  json["evidence"] = json_evidence(drill);
  json["engine"] = {{"name", drill.engine}, {"refused", std::move(refused)}};
  json["recording"] = {{"path", drill.recording},       {"lines", drill.counts.lines},
                       {"events", drill.counts.events}, {"foreign", drill.counts.foreign},
                       {"broken", drill.counts.broken}, {"lost", drill.account.lost}};
  json["alarms"] =
      drill.findings ? alarm::json_alarms(*drill.findings, *drill.incident) : Json::array();
  json["scaling"] = Json::array();
  if (drill.stretch != 1 && drill.incident) {
    json["stretch"] = {{"factor", drill.stretch}};
    if (drill.incident->kill) {
      json["stretch"]["kill_after_s"] = drill.incident->after_s(*drill.incident->kill);
    }
  }
  if (drill.findings) put(json, "lead_s", drill.findings->lead_s);
  if (drill.question && drill.question->lead) {
    json["required_lead_s"] = drill.question->lead->count();
    json["lead_met"] = drill.findings && drill.findings->met.value_or(false);
  }
  put(json, "drill", drill.name);
  put(json, "learnt", drill.learnt);
  return json;
}

std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

void conclude(Drill& drill) {
  drill.verdict = derive(drill.account, drill.outside);
  const auto& leak = drill.account.leak;
  if (!leak || !leak->used_bytes) return;
  drill.leak = predict::Leak{.pattern = leak->pattern,
                             .rate_bytes_per_s = leak->rate_bytes_per_s,
                             .seed = leak->seed,
                             .used_bytes = *leak->used_bytes,
                             .cache_bytes = leak->cache_bytes.value_or(0),
                             .limit_bytes = leak->limit_bytes.value_or(limit_of(drill)),
                             .until_bytes = leak->until_bytes,
                             .max_bytes = leak->max_bytes};
  if (leak->duration_s) drill.leak->duration = from_seconds(*leak->duration_s);
  // Together they carry out one plan, of which each tells its part; or each its own.
  if (leak->each) {
    drill.leak->times = leak->workers;
  } else {
    const auto workers = static_cast<double>(leak->workers);
    if (drill.leak->rate_bytes_per_s) *drill.leak->rate_bytes_per_s *= workers;
    if (drill.leak->max_bytes) *drill.leak->max_bytes *= leak->workers;
  }
  if (ends_in_no_kill(leak->kind)) return;
  // A pattern that this build does not know, from another version's leaksim, has no prediction.
  if (auto prediction = predict::predict(*drill.leak, kHorizon)) drill.prediction = *prediction;
}

std::string text_summary(const Drill& drill) {
  Lines lines;
  lines.add("verdict", fmt::format("{} ({}): {}", drill.verdict.outcome,
                                   name(drill.verdict.confidence), printable(drill.verdict.why)));
  for (const std::string& disagreement : drill.verdict.disagreements) {
    lines.add("DISPUTED", disagreement);
  }
  add_kill(lines, drill);
  if (const auto peak = peak_of(drill)) {
    lines.add("peak",
              fmt::format("{} ({:.1f} % of {})", format_bytes(*peak),
                          static_cast<double>(*peak) * 100 / static_cast<double>(limit_of(drill)),
                          format_bytes(limit_of(drill))));
  }
  add_rate(lines, drill);
  add_prediction(lines, drill);
  add_recording(lines, drill);
  if (!drill.learnt.empty()) lines.add("learnt", drill.learnt);
  if (drill.expected != "any") {
    lines.add("expected", drill.as_expected() ? drill.expected + ": yes"
                                              : drill.expected + ": no (see --expect)");
  }
  std::string text = lines.take();
  if (drill.findings) {
    text += alarm::text_scale(drill.stretch);
    text += alarm::text_alarms(*drill.findings, *drill.alarms, *drill.incident, *drill.question);
  }
  return text;
}

std::string json_summary(const Drill& drill) { return dump(json_of(drill)); }

std::string json_drills(const std::vector<Drill>& drills) {
  Json all = Json::array();
  for (const Drill& each : drills) all.push_back(json_of(each));
  return dump({{"drills", std::move(all)}});
}

std::string line_summary(const Drill& drill) {
  const bool ran = !drill.workload.empty();
  return fmt::format("{:<18} {:<10} {}{}\n", drill.name, ran ? drill.verdict.outcome : "-",
                     printable(drill.learnt),
                     ran && !drill.as_expected() ? " (NOT as expected)" : "");
}

std::string repeat_summary(const std::vector<Drill>& drills, bool json) {
  std::vector<double> kills;
  std::vector<double> errors;
  std::uint64_t expected = 0;
  for (const Drill& each : drills) {
    if (each.as_expected()) ++expected;
    if (const auto kill = kill_of(each)) {
      if (const auto after = each.account.after_s(kill->time)) kills.push_back(*after);
    }
    if (const auto error = prediction_error_percent(each)) errors.push_back(*error);
  }
  const auto largest = [](const std::vector<double>& values) {
    return std::abs(*std::max_element(values.begin(), values.end(), [](double a, double b) {
      return std::abs(a) < std::abs(b);
    }));
  };
  if (json) {
    Json object = json_of(drills.back());
    Json repeat = {{"runs", drills.size()}, {"as_expected", expected}, {"kill_after_s", kills}};
    if (!errors.empty()) repeat["largest_error_percent"] = largest(errors);
    object["repeat"] = std::move(repeat);
    return dump(object);
  }
  std::string text = fmt::format("{} of {} as expected", expected, drills.size());
  if (!kills.empty()) {
    const auto [least, most] = std::minmax_element(kills.begin(), kills.end());
    text += fmt::format("; killed after {} to {}", format_seconds(*least), format_seconds(*most));
  }
  if (!errors.empty()) {
    text += fmt::format("; at most {:.1f} % from the prediction", largest(errors));
  }
  return fmt::format("{:<12} {}\n", "repeat", text);
}

std::optional<double> prediction_error_percent(const Drill& drill) {
  const auto actual = actual_s(drill);
  if (!actual || drill.prediction->after.count() <= 0) return std::nullopt;
  const double predicted = to_seconds(drill.prediction->after);
  return (*actual - predicted) / predicted * 100;
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t size = report::unprintable(text);
    out += size > 0 ? '?' : text.front();
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

std::string plural(std::uint64_t n, std::string_view what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

std::string format_seconds(double seconds) {
  if (std::abs(seconds) < 120) return fmt::format("{:.2f} s", seconds);
  return format_duration(from_seconds(seconds));
}

}  // namespace oomdrill::run
