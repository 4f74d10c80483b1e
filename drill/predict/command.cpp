#include "predict/command.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "alarm/options.h"
#include "alarm/report.h"
#include "plan/growth.h"
#include "plan/plan.h"
#include "predict/course.h"
#include "predict/service.h"
#include "run/summary.h"

namespace oomdrill::predict {
namespace {

using drill::complain;
using drill::ExitCode;
using run::format_seconds;
using Json = nlohmann::ordered_json;

constexpr std::array kOptions = {
    Option{.name = "memory",
           .value = "SIZE",
           .default_value = "512MiB",
           .help = "Limit of a task",
           .short_name = 'm'},
    Option{.name = "pattern",
           .value = "PATTERN",
           .default_value = "linear",
           .help = "As leaksim takes it: leaksim --list-patterns"},
    Option{.name = "phase",
           .value = "PATTERN",
           .default_value = "",
           .help = "Instead of --pattern, as leaksim takes it: patterns in sequence, each but the "
                   "last with for=TIME",
           .repeatable = true},
    Option{.name = "rate",
           .value = "RATE",
           .default_value = "1MB/s",
           .help = "Growth of a pattern with a rate, as leaksim takes it; by default linear's, "
                   "others have their own"},
    Option{.name = "seed", .value = "NUMBER", .default_value = "1", .help = "Of all chance"},
    Option{.name = "base",
           .value = "SIZE",
           .default_value = "1.2MiB",
           .help = "What is used when the leak starts; leaksim and oomprobe themselves use that"},
    Option{.name = "until",
           .value = "AMOUNT",
           .default_value = "oom",
           .help = "The leak stops when so much is used: 90%, 512MiB, 50MiB-headroom"},
    Option{.name = "max-bytes",
           .value = "SIZE",
           .default_value = "",
           .help = "The leak stops when it holds so much"},
    Option{.name = "then",
           .value = "ACTION",
           .default_value = "hold",
           .help = "After --until, --max-bytes or the plan's end: hold what there is, or release "
                   "it, as leaksim does that exits"},
    Option{.name = "kind",
           .value = "NAME",
           .default_value = "anon",
           .help = "Memory that leaks: anon, or memfd, tmpfs, shm, which MemoryUtilization leaves "
                   "out on cgroup v1"},
    Option{.name = "cgroup",
           .value = "VERSION",
           .default_value = "v2",
           .help = "Of the host: v1 or v2"},
    alarm::kAlarmsOption,
    alarm::kRequireLeadOption,
    alarm::kDelayOption,
    alarm::kNamespaceOption,
    Option{
        .name = "duration", .value = "DURATION", .default_value = "24h", .help = "How far to look"},
    Option{.name = "tasks",
           .value = "NUMBER",
           .default_value = "1",
           .help = "Tasks of the service; with any of the options below they are a service, whose "
                   "tasks are started anew"},
    Option{.name = "leaking",
           .value = "PART",
           .default_value = "100%",
           .help = "Of the tasks, that leak"},
    Option{.name = "healthy",
           .value = "PERCENT",
           .default_value = "40%",
           .help = "MemoryUtilization of a task that does not leak; scaling does not change it"},
    Option{.name = "stagger",
           .value = "DURATION",
           .default_value = "0",
           .help = "The tasks start at random within it"},
    Option{.name = "restart-delay",
           .value = "DURATION",
           .default_value = "30s",
           .help = "From a kill to the next start of the task"},
    Option{.name = "back-off",
           .value = "FACTOR",
           .default_value = "1",
           .help = "Each further kill of a task makes its delay so much longer, up to 15m"},
    Option{.name = "start-up",
           .value = "DURATION",
           .default_value = "60s",
           .help = "From a decision to scale out to the start of the tasks"},
    Option{.name = "scaling",
           .value = "POLICY",
           .default_value = "",
           .help = "Target tracking on the average: target=75,min=1,max=4,cooldown=300s"},
    Option{.name = "format", .value = "NAME", .default_value = "text", .help = "text or json"},
};

/// What makes a service of one task.
constexpr std::array<std::string_view, 8> kServiceOptions = {
    "tasks", "leaking", "healthy", "stagger", "restart-delay", "back-off", "start-up", "scaling"};
constexpr std::array<std::string_view, 3> kSharedKinds = {"memfd", "tmpfs", "shm"};
constexpr Nanoseconds kInterval = std::chrono::seconds(1);
constexpr auto kLongest = std::chrono::hours(24 * 400);
/// A virtual time as good as any: midnight.
constexpr WallTime kStart{std::chrono::hours(24 * 365 * 56)};

struct Settings {
  Leak leak;
  Visibility visibility;
  Nanoseconds duration{0};
  bool json = false;
  std::optional<Service> service = {};
};

Result<double> parse_part(std::string_view text) {
  if (text == "0" || text == "0%") return 0.0;
  const auto percent = parse_percent(text);
  if (!percent) {
    return fail("'" + std::string(text) + "' is no part of the tasks", {},
                "give 0% to 100%, such as 2.5%");
  }
  return *percent / 100;
}

Result<double> parse_factor(std::string_view text) {
  const std::string copy(text);
  char* end = nullptr;
  const double value = std::strtod(copy.c_str(), &end);
  if (copy.empty() || *end != '\0' || !(value >= 1 && value <= 1000)) {
    return fail("'" + copy + "' is no factor", {}, "such as 2; 1 for none");
  }
  return value;
}

Result<Service> read_service(const Arguments& arguments, std::uint64_t seed, Nanoseconds duration) {
  Service service;
  const auto tasks =
      arguments.get("tasks", [](std::string_view text) { return parse_whole(text, 1, 1'000'000); });
  if (!tasks) return fail(tasks.error());
  service.tasks = static_cast<std::uint32_t>(*tasks);
  const auto leaking = arguments.get("leaking", parse_part);
  if (!leaking) return fail(leaking.error());
  service.leaking = *leaking;
  const auto healthy = arguments.get("healthy", parse_percent);
  if (!healthy) return fail(healthy.error());
  service.healthy_percent = *healthy;
  const auto back_off = arguments.get("back-off", parse_factor);
  if (!back_off) return fail(back_off.error());
  service.back_off = *back_off;
  struct {
    std::string_view name;
    seconds& into;
  } const durations[] = {{"stagger", service.stagger},
                         {"restart-delay", service.restart_delay},
                         {"start-up", service.start_up}};
  for (const auto& each : durations) {
    const auto parsed = arguments.get(each.name, parse_duration);
    if (!parsed) return fail(parsed.error());
    if (*parsed > kLongest) {
      return fail("is too long", arguments.origin(each.name), "give 400 days or less");
    }
    each.into = std::chrono::ceil<seconds>(*parsed);
  }
  service.duration = std::chrono::floor<seconds>(duration);
  service.seed = seed;
  if (arguments.given("scaling")) {
    const auto policy = arguments.get("scaling", scaling::parse_policy);
    if (!policy) return fail(policy.error());
    service.scaling = *policy;
  }
  return service;
}

std::string_view end_words(Prediction::End end) {
  switch (end) {
    case Prediction::End::until:
      return "--until is reached";
    case Prediction::End::max_bytes:
      return "--max-bytes is reached";
    case Prediction::End::plan_ended:
      return "the plan ends";
    default:
      return name(end);
  }
}

Result<Settings> read_settings(const Arguments& arguments) {
  Settings settings;
  const auto json = drill::wants_json(arguments);
  if (!json) return fail(json.error());
  settings.json = *json;
  const auto memory = arguments.get("memory", parse_bytes);
  if (!memory) return fail(memory.error());
  if (*memory == 0) return fail("'0' is no limit", arguments.origin("memory"), "such as 512MiB");
  settings.leak.limit_bytes = *memory;
  const auto base = arguments.get("base", parse_bytes);
  if (!base) return fail(base.error());
  if (*base >= *memory) {
    const bool by_memory = arguments.given("memory") && !arguments.given("base");
    return fail(fmt::format("{} are less than the {} that are used before the leak (--base)",
                            format_bytes(*memory), format_bytes(*base)),
                arguments.origin(by_memory ? "memory" : "base"),
                by_memory ? "give a size with its unit, such as 64MiB" : "give less");
  }
  settings.leak.used_bytes = *base;
  if (arguments.text("until") != "oom") {
    const auto until = arguments.get("until", parse_amount);
    if (!until) return fail(until.error());
    const auto target = until->resolve(*memory);
    if (!target) return fail(Error(target.error()).within(arguments.origin("until")));
    settings.leak.until_bytes = *target;
  }
  if (arguments.given("max-bytes")) {
    const auto most = arguments.get("max-bytes", parse_bytes);
    if (!most) return fail(most.error());
    settings.leak.max_bytes = *most;
  }
  const std::string then = arguments.text("then");
  if (then != "hold" && then != "release") {
    return fail("'" + then + "' is nothing to do", arguments.origin("then"),
                "known: hold, release");
  }
  settings.visibility.released = then == "release";
  const auto seed = arguments.get("seed", [](std::string_view text) { return parse_whole(text); });
  if (!seed) return fail(seed.error());
  settings.leak.seed = *seed;
  auto growth = plan::read_growth(arguments);
  if (!growth) return fail(std::move(growth.error()));
  const auto plan = plan::make_plan(growth->pattern, {}, *seed);
  if (!plan) return fail(Error(plan.error()).within(growth->origin));
  settings.leak.pattern = std::move(growth->pattern);
  settings.leak.rate_bytes_per_s = (*plan)->nominal_rate();
  const std::string kind = arguments.text("kind");
  settings.visibility.shared =
      std::find(kSharedKinds.begin(), kSharedKinds.end(), kind) != kSharedKinds.end();
  if (kind != "anon" && !settings.visibility.shared) {
    return fail("'" + kind + "' is not predicted", arguments.origin("kind"),
                "known: anon, memfd, tmpfs, shm");
  }
  const std::string version = arguments.text("cgroup");
  if (version != "v1" && version != "v2") {
    return fail("'" + version + "' is no version", arguments.origin("cgroup"), "known: v1, v2");
  }
  settings.visibility.cgroup_v1 = version == "v1";
  const auto duration = arguments.get("duration", parse_duration);
  if (!duration) return fail(duration.error());
  if (*duration < std::chrono::minutes(1) || *duration > kLongest) {
    return fail("is too short or too long", arguments.origin("duration"),
                "give 1m to 400 days, such as 24h");
  }
  settings.duration = *duration;
  if (std::any_of(kServiceOptions.begin(), kServiceOptions.end(),
                  [&](std::string_view name) { return arguments.given(name); })) {
    auto service = read_service(arguments, *seed, *duration);
    if (!service) return fail(service.error());
    settings.service = *service;
  }
  return settings;
}

class Lines {
 public:
  void add(std::string_view name, const std::string& text) {
    text_ += fmt::format("{:<12} {}\n", name, text);
  }
  void append(const std::string& text) { text_ += text; }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string passings(const std::array<std::optional<Nanoseconds>, kLevels.size()>& passes) {
  std::string text;
  for (std::size_t i = 0; i < kLevels.size(); ++i) {
    text += fmt::format("{}{:g} % {}", text.empty() ? "" : ", ", kLevels[i],
                        passes[i] ? "after " + format_seconds(to_seconds(*passes[i])) : "never");
  }
  return text;
}

void add_course(Lines& lines, const Settings& settings, const Course& course) {
  const auto& prediction = course.prediction;
  const Leak& leak = settings.leak;
  std::string text = prediction.end == Prediction::End::beyond_horizon
                         ? "no end within " + format_duration(settings.duration)
                         : fmt::format("{} after {:.1f} s", end_words(prediction.end),
                                       to_seconds(prediction.after));
  text += ": " + run::printable(leak.pattern);
  if (leak.rate_bytes_per_s && std::isfinite(*leak.rate_bytes_per_s)) {
    text += fmt::format(", allocating {}", format_rate(*leak.rate_bytes_per_s));
  }
  text += fmt::format(", from {} into {}", format_bytes(leak.used_bytes),
                      format_bytes(leak.limit_bytes));
  lines.add("predicted", text);
  lines.add("kernel", "passes " + passings(course.kernel_passes));
  lines.add("ECS", "MemoryUtilization passes " + passings(course.utilization_passes));
}

std::string answer(const ServiceResult& with, const ServiceResult& without) {
  if (without.kills == 0) return "nothing is killed: there is nothing to help against";
  const double more = with.task_hours - without.task_hours;
  const std::string price =
      fmt::format("{:+.1f} task-hours, highest average {:.1f} % instead of {:.1f} %", more,
                  with.highest_average, without.highest_average);
  if (with.actions.empty()) {
    return fmt::format(
        "no: the policy does nothing; the average is {:.1f} % at most, and {} "
        "kills happen all the same",
        with.highest_average, with.kills);
  }
  if (with.kills > without.kills) {
    return fmt::format("no: {} kills with it, {} without: new tasks leak too ({})", with.kills,
                       without.kills, price);
  }
  if (with.kills == without.kills) {
    return fmt::format(
        "no: {} kills with it and without: a leak fills its own task, however many "
        "there are ({})",
        with.kills, price);
  }
  return fmt::format(
      "not against the leak: {} kills with it, {} without, as scaling in took "
      "leaking tasks away ({})",
      with.kills, without.kills, price);
}

void add_service(Lines& lines, const Service& service, const ServiceResult& result,
                 const std::optional<ServiceResult>& without) {
  lines.add("service", fmt::format("{}, {} of them leaking, over {}; a healthy one uses {:g} % "
                                   "whatever the number of tasks",
                                   run::plural(service.tasks, "task"), result.initially_leaking,
                                   format_duration(service.duration), service.healthy_percent));
  lines.add("kills",
            result.first_kill
                ? fmt::format("{}, the first after {}", result.kills,
                              format_seconds(static_cast<double>(result.first_kill->count())))
                : "none");
  lines.add("average", fmt::format("{:.1f} % at most, while the fullest task is at {:.1f} %",
                                   result.highest_average, result.highest_task));
  if (!service.scaling || !without) return;
  constexpr std::size_t kShown = 5;
  lines.add("scaling", fmt::format("{}, {} at most", run::plural(result.actions.size(), "action"),
                                   run::plural(result.most_tasks, "task")));
  for (std::size_t i = 0; i < std::min(kShown, result.actions.size()); ++i) {
    const auto& action = result.actions[i];
    lines.add(
        "", fmt::format("{} → {} tasks after {} (average {:.1f} %)", action.from, action.to,
                        format_seconds(to_seconds(WallTime(action.at) - kStart)), action.average));
  }
  lines.add("would scaling out have helped?", answer(result, *without));
}

Json json_scaling(const ServiceResult& result) {
  Json actions = Json::array();
  for (const auto& action : result.actions) {
    actions.push_back({{"after_s", to_seconds(WallTime(action.at) - kStart)},
                       {"from", action.from},
                       {"to", action.to},
                       {"average_percent", action.average}});
  }
  return actions;
}

Json json_service(const Service& service, const ServiceResult& result) {
  Json json = {{"tasks", service.tasks},
               {"leaking", result.initially_leaking},
               {"duration_s", service.duration.count()},
               {"kills", result.kills},
               {"most_tasks", result.most_tasks},
               {"task_hours", result.task_hours},
               {"highest_average_percent", result.highest_average},
               {"highest_task_percent", result.highest_task}};
  return json;
}

}  // namespace

constinit const Command kPredictCommand = {
    .program = "oomdrill",
    .name = "predict",
    .synopsis = "",
    .summary = "When a leak would be killed and what alarms and scaling would do, in virtual time.",
    .options = kOptions,
    .epilogue =
        "Runs the very plan that leaksim carries out, without allocating.\n"
        "\nExamples:\n"
        "  oomdrill predict --alarms guide\n"
        "  oomdrill predict --alarms corrected --delay 30s --require-lead 60s\n"
        "  oomdrill predict --until 80% --alarms guide                    a plateau: what fires?\n"
        "  oomdrill predict --memory 2GiB --pattern burst:size=64MiB,interval=1m --alarms "
        "plan.json\n"
        "  oomdrill predict --kind memfd --cgroup v1 --alarms guide       the blind spot\n"
        "  oomdrill predict --tasks 40 --leaking 2.5% --alarms guide \\\n"
        "      --scaling target=75,min=40,max=80               would scaling out have helped?\n"};

ExitCode run_predict(const Arguments& arguments, drill::Streams& streams) {
  const auto settings = read_settings(arguments);
  if (!settings) return complain(streams, settings.error(), ExitCode::usage);
  auto watched = alarm::read_watched(arguments, false);
  if (!watched) return complain(streams, watched.error().error, watched.error().code);
  const auto course =
      predict_course(settings->leak, settings->visibility, kInterval, settings->duration);
  if (!course) return complain(streams, course.error(), ExitCode::usage);

  alarm::SeriesSet* series = *watched ? &(*watched)->series : nullptr;
  const auto start = std::chrono::floor<std::chrono::seconds>(kStart);
  const bool killed = course->prediction.end == Prediction::End::oom_kill;
  alarm::Incident incident{
      kStart, kStart, kStart + settings->duration, {}, settings->leak.limit_bytes};
  std::optional<ServiceResult> result;
  std::optional<ServiceResult> without;
  if (settings->service) {
    Service service = *settings->service;
    if (*watched) service.metric_delay = (*watched)->question.delay;
    result = predict_service(service, *course, start, series);
    if (service.scaling) {
      service.scaling.reset();
      without = predict_service(service, *course, start, nullptr);
    }
    if (result->first_kill) incident.kill = kStart + *result->first_kill;
  } else {
    if (series != nullptr) note_course(*course, kStart, *series);
    if (killed) {
      incident.kill = kStart + course->prediction.after;
      incident.end = *incident.kill;
    }
  }

  std::optional<alarm::Findings> findings;
  if (*watched) {
    (*watched)->question.any_alignment = true;
    findings = alarm::examine((*watched)->set, *series, incident, (*watched)->question);
  }

  if (settings->json) {
    Json kill = nullptr;
    if (incident.kill) {
      kill = {{"after_s", incident.after_s(*incident.kill)},
              {"limit_bytes", settings->leak.limit_bytes}};
    }
    Json json = {{"kill", std::move(kill)},
                 {"alarms", findings ? alarm::json_alarms(*findings, incident) : Json::array()},
                 {"scaling", result ? json_scaling(*result) : Json::array()},
                 {"prediction",
                  {{"end", std::string(name(course->prediction.end))},
                   {"after_s", to_seconds(course->prediction.after)},
                   {"live_bytes", course->prediction.live_bytes},
                   {"from_used_bytes", settings->leak.used_bytes},
                   {"limit_bytes", settings->leak.limit_bytes}}}};
    if (result) json["service"] = json_service(*settings->service, *result);
    if (without) {
      json["without_scaling"] = json_service(*settings->service, *without);
      json["would_scaling_out_have_helped"] = answer(*result, *without);
    }
    if (findings && findings->lead_s) json["lead_s"] = *findings->lead_s;
    if (findings && findings->met) {
      json["required_lead_s"] = (*watched)->question.lead->count();
      json["lead_met"] = *findings->met;
    }
    streams.out << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  } else {
    Lines lines;
    add_course(lines, *settings, *course);
    if (result) add_service(lines, *settings->service, *result, without);
    if (findings) {
      lines.append(alarm::text_alarms(*findings, (*watched)->set, incident, (*watched)->question));
    }
    streams.out << lines.text();
  }
  return findings && !findings->met.value_or(true) ? ExitCode::otherwise : ExitCode::as_expected;
}

}  // namespace oomdrill::predict
