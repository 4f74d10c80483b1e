#include "options.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "recorder/ring_file.h"

namespace oomdrill::probe {
namespace {

constexpr Option kInterval = {"interval", "DURATION", "1s",
                              "A memory.sample this often; looks come closer near the limit"};
constexpr Option kMinInterval = {"min-interval", "DURATION", "50ms",
                                 "Looks never come closer than this"};
constexpr Option kMaxInterval = {"max-interval", "DURATION", "off",
                                 "Where nothing happens looks and samples come as rarely as this; "
                                 "off: at every interval"};
constexpr Option kMaxEvents = {"max-events-per-minute", "N", "off",
                               "Hold back samples and warnings beyond so many lines; kills and "
                               "verdicts are never held back"};
constexpr Option kThresholds = {
    "thresholds", "PERCENTS", "75%,85%,95%",
    "Parts of the limit whose crossing is told, by the working set; or none"};
constexpr Option kHysteresis = {"hysteresis", "PERCENT", "5%",
                                "How far below a threshold counts as back down"};
constexpr Option kFormat = {"format", "FORMAT", "auto",
                            "auto, text, json or emf; auto: text on a terminal, emf inside ECS, "
                            "else json"};
constexpr Option kDoctorFormat = {"format", "FORMAT", "text", "text or json"};
constexpr Option kNamespace = {"metric-namespace", "NAME", "oomdrill",
                               "CloudWatch namespace of the metrics (emf)"};
constexpr Option kDimensions = {"dimensions", "NAME=VALUE,…", "",
                                "Dimensions of the metrics (emf), one set beside those that ECS "
                                "tells; at most 30, such as Stage=prod,Team=shop"};
constexpr Option kPrometheus = {"prometheus", "WHERE", "",
                                "Figures for Prometheus: at :PORT or ADDRESS:PORT under /metrics, "
                                "or in a file PATH.prom for node_exporter's textfile collector"};
constexpr Option kOutput = {"output", "PATH", "-",
                            "File that events are appended to; -: standard output"};
constexpr Option kRecorder = {
    "recorder", "PATH", "",
    "Flight recorder: a file of fixed size that holds the last minutes at "
    "full rate and outlives the container; see oomprobe recover"};
constexpr Option kRecorderSize = {"recorder-size", "SIZE", "512KiB",
                                  "Of a new flight recorder; one line takes about 1 KiB"};
constexpr Option kEcsTimeout = {"ecs-timeout", "DURATION", "500ms",
                                "How long the ECS metadata endpoint may take, for each of its two "
                                "requests at the start"};
constexpr Option kCgroup = {"cgroup", "PATH", "",
                            "Folder of a memory cgroup; default: the own one"};
constexpr Option kPid = {"pid", "PID", "",
                         "Watch the memory cgroup of this process, such as a sibling container's "
                         "with which a pid namespace is shared"};
constexpr Option kAllSiblings = {"all-siblings", "", "",
                                 "Watch each other container of a shared pid namespace (pidMode "
                                 "task, docker run --pid); comes with them and goes with them"};
constexpr Option kSource = {"source", "SOURCE", "auto",
                            "cgroup; ecs: the task metadata endpoint's /task/stats alone, for each "
                            "other container of the task, named as ECS names it; auto: the cgroup, "
                            "or ecs where none can be read"};
constexpr Option kSignalGroup = {"signal-group", "", "",
                                 "Forward signals to the command's process group, not to it alone"};
constexpr Option kKillAfter = {"kill-after", "DURATION", "off",
                               "SIGKILL the command this long after a forwarded SIGTERM, SIGINT or "
                               "SIGQUIT"};
constexpr Option kScore = {"oom-score-adj", "N", "auto",
                           "The command's oom_score_adj; auto: raised so that the kernel takes it "
                           "before the probe; keep: as it is"};
constexpr Option kFailAbove = {"fail-above", "PERCENT", "",
                               "Exit 1 if the working set is above this part of the limit"};

constexpr std::array kRunOptions = {
    kInterval,     kMinInterval, kMaxInterval, kMaxEvents,  kThresholds, kHysteresis,
    kFormat,       kNamespace,   kDimensions,  kPrometheus, kOutput,     kRecorder,
    kRecorderSize, kEcsTimeout,  kSignalGroup, kKillAfter,  kScore};
constexpr std::array kWatchOptions = {
    kSource,      kCgroup,     kPid,        kAllSiblings, kInterval,     kMinInterval,
    kMaxInterval, kMaxEvents,  kThresholds, kHysteresis,  kFormat,       kNamespace,
    kDimensions,  kPrometheus, kOutput,     kRecorder,    kRecorderSize, kEcsTimeout};
constexpr std::array kSnapshotOptions = {kCgroup,    kFailAbove,  kFormat,
                                         kNamespace, kDimensions, kEcsTimeout};
constexpr std::array kDoctorOptions = {kCgroup, kDoctorFormat, kEcsTimeout};

constexpr std::array kCommands = {
    Command{.program = "oomprobe",
            .name = "run",
            .synopsis = "-- COMMAND [ARGUMENT…]",
            .summary = "Runs COMMAND, watches the memory cgroup, and tells why COMMAND ended. "
                       "Fit to be PID 1: forwards signals, reaps, exits as COMMAND did.",
            .options = kRunOptions,
            .epilogue = "Examples:\n"
                        "  oomprobe run -- nginx -g 'daemon off;'\n"
                        "  oomprobe run --interval 10s --kill-after 20s -- java -jar app.jar\n",
            .takes_positionals = true,
            .takes_command = true},
    Command{.program = "oomprobe",
            .name = "watch",
            .synopsis = "",
            .summary = "Watches a memory cgroup until SIGTERM or SIGINT.",
            .options = kWatchOptions},
    Command{.program = "oomprobe",
            .name = "snapshot",
            .synopsis = "",
            .summary = "Tells the memory cgroup's state once: for a human, a script or a health "
                       "check.",
            .options = kSnapshotOptions,
            .epilogue = "Example:\n"
                        "  HEALTHCHECK CMD [\"oomprobe\", \"snapshot\", \"--fail-above\", "
                        "\"95%\"]\n"},
    Command{.program = "oomprobe",
            .name = "doctor",
            .synopsis = "",
            .summary = "Tells what can be known of memory here, by which means, and what follows.",
            .options = kDoctorOptions},
    Command{.program = "oomprobe",
            .name = "recover",
            .synopsis = "PATH",
            .summary = "Prints the lines of a flight recorder (--recorder), oldest first, whoever "
                       "died meanwhile.",
            .options = {},
            .epilogue = "Example:\n  oomprobe recover /data/flight >before-the-kill.jsonl\n",
            .takes_positionals = true}};

constexpr std::size_t kMostThresholds = 8;
constexpr Nanoseconds kLeastInterval = std::chrono::milliseconds(10);

Result<Nanoseconds> parse_interval(std::string_view text) {
  auto duration = parse_duration(text);
  if (duration && *duration < kLeastInterval) {
    return fail("'" + std::string(text) + "' is too short", {}, "give 10ms or more");
  }
  return duration;
}

Result<int> parse_pid(std::string_view text) {
  int pid = 0;
  const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (status != std::errc{} || rest != text.data() + text.size() || pid <= 0) {
    return fail("'" + std::string(text) + "' is no pid", {}, "give a whole number from 1 on");
  }
  return pid;
}

/// Empty: the command has no such option.
Result<WatchSettings::From> parse_from(std::string_view text) {
  using From = WatchSettings::From;
  if (text.empty() || text == "auto") return From::automatic;
  if (text == "cgroup") return From::cgroup;
  if (text == "ecs") return From::ecs;
  return fail("'" + std::string(text) + "' is no source", {}, "give auto, cgroup or ecs");
}

Result<std::uint64_t> parse_ceiling(std::string_view text) {
  const auto number = parse_whole(text);
  if (!number || *number == 0) {
    return fail("'" + std::string(text) + "' is no number of events", {},
                "give a whole number from 1 on, or off");
  }
  return *number;
}

Result<std::uint64_t> parse_recorder_size(std::string_view text) {
  const auto bytes = parse_bytes(text);
  if (!bytes) return fail(bytes.error());
  if (*bytes < RingFile::kLeastSize || *bytes > RingFile::kMostSize) {
    return fail("'" + std::string(text) + "' is out of range", {}, "give 64KiB to 1GiB");
  }
  return *bytes;
}

Result<std::vector<std::pair<std::string, std::string>>> parse_dimensions(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!text.empty()) {
    const auto pair = text.substr(0, text.find(','));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) {
      return fail("'" + std::string(pair) + "' is no dimension", {},
                  "write NAME=VALUE, several with a comma between");
    }
    out.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
  }
  for (const auto& [name, value] : out) {
    // A dimension is a member of the root too, and must not be there twice.
    if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos &&
        !name.empty()) {
      return fail("'" + name + "' could be a member of events", {},
                  "use a capital letter, as CloudWatch's own dimensions do");
    }
  }
  telemetry::Context context;
  context.dimension_sets = {out};
  if (const auto valid = telemetry::validate(context); !valid) return fail(valid.error());
  for (std::size_t i = 0; i < out.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (out[k].first == out[i].first) {
        return fail("'" + out[i].first + "' is named twice", {}, "name each dimension once");
      }
    }
  }
  return out;
}

Result<OutputSettings> read_output(const Arguments& arguments) {
  OutputSettings out;
  auto dimensions = arguments.get("dimensions", parse_dimensions);
  if (!dimensions) return fail(dimensions.error());
  out.dimensions = std::move(*dimensions);
  out.format = arguments.text("format");
  out.metric_namespace = arguments.text("metric-namespace");
  out.path = arguments.text("output").empty() ? "-" : arguments.text("output");
  return out;
}

Result<int> parse_score(std::string_view text) {
  int score = 0;
  const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), score);
  if (status != std::errc{} || rest != text.data() + text.size() || score < -1000 || score > 1000) {
    return fail("'" + std::string(text) + "' is no oom_score_adj", {},
                "give auto, keep or a whole number from -1000 to 1000");
  }
  return score;
}

}  // namespace

std::span<const Command> commands() { return kCommands; }

Result<std::vector<double>> parse_thresholds(std::string_view text) {
  std::vector<double> out;
  if (text == "none") return out;
  for (;;) {
    const auto comma = text.find(',');
    const auto percent = parse_percent(text.substr(0, comma));
    if (!percent) return fail(percent.error());
    out.push_back(*percent);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  if (out.size() > kMostThresholds) {
    return fail(fmt::format("{} thresholds are too many", out.size()), {},
                fmt::format("give at most {}", kMostThresholds));
  }
  return out;
}

Result<WatchSettings> read_watch(const Arguments& arguments) {
  WatchSettings out;
  const auto interval = arguments.get("interval", parse_interval);
  if (!interval) return fail(interval.error());
  const auto least = arguments.get("min-interval", parse_interval);
  if (!least) return fail(least.error());
  out.policy.max_interval = *interval;
  if (arguments.text("max-interval") != "off") {
    const auto most = arguments.get("max-interval", parse_interval);
    if (!most) return fail(most.error());
    if (*most < *interval) {
      return fail("it is shorter than --interval", "--max-interval",
                  "give one that is longer, or off");
    }
    out.policy.max_interval = *most;
  }
  if (arguments.text("max-events-per-minute") != "off") {
    const auto ceiling = arguments.get("max-events-per-minute", parse_ceiling);
    if (!ceiling) return fail(ceiling.error());
    out.policy.max_events_per_minute = *ceiling;
  }
  auto thresholds = arguments.get("thresholds", parse_thresholds);
  if (!thresholds) return fail(thresholds.error());
  const auto hysteresis = arguments.get("hysteresis", parse_percent);
  if (!hysteresis) return fail(hysteresis.error());
  const auto timeout = arguments.get("ecs-timeout", parse_duration);
  if (!timeout) return fail(timeout.error());

  out.policy.interval = *interval;
  out.policy.min_interval = *least;
  out.policy.thresholds = std::move(*thresholds);
  out.policy.hysteresis = *hysteresis;
  for (const double percent : out.policy.thresholds) {
    out.thresholds += fmt::format("{}{}%", out.thresholds.empty() ? "" : ",", percent);
  }
  if (out.thresholds.empty()) out.thresholds = "none";
  auto output = read_output(arguments);
  if (!output) return fail(output.error());
  out.output = std::move(*output);
  out.ecs_timeout = *timeout;
  out.cgroup = arguments.text("cgroup");
  if (!arguments.text("pid").empty()) {
    const auto pid = arguments.get("pid", parse_pid);
    if (!pid) return fail(pid.error());
    if (!out.cgroup.empty()) {
      return fail("cannot be given beside --cgroup", "--pid", "name one of them");
    }
    out.pid = *pid;
  }
  if (!arguments.text("prometheus").empty()) {
    const auto target = arguments.get("prometheus", parse_export_target);
    if (!target) return fail(target.error());
    out.prometheus = *target;
  }
  out.all_siblings = arguments.flag("all-siblings");
  if (out.all_siblings && (out.pid > 0 || !out.cgroup.empty())) {
    return fail("cannot be given beside --cgroup or --pid", "--all-siblings", "name one of them");
  }
  const auto from = arguments.get("source", parse_from);
  if (!from) return fail(from.error());
  out.from = *from;
  const bool endpoint = out.from == WatchSettings::From::ecs;
  if (endpoint && (out.pid > 0 || !out.cgroup.empty() || out.all_siblings)) {
    return fail("ecs reads no cgroup", "--source", "leave out --cgroup, --pid and --all-siblings");
  }
  out.recorder = arguments.text("recorder");
  const auto size = arguments.get("recorder-size", parse_recorder_size);
  if (!size) return fail(size.error());
  out.recorder_bytes = *size;
  const bool several = out.all_siblings || endpoint;
  if (several && out.prometheus) {
    return fail("tells of one container, not of all siblings", "--prometheus",
                "leave one of them out");
  }
  if (several && !out.recorder.empty()) {
    return fail("holds one container's minutes, not all siblings'", "--recorder",
                "leave one of them out");
  }
  return out;
}

Result<RunSettings> read_run(const Arguments& arguments) {
  if (!arguments.positionals.empty()) {
    return fail("'" + arguments.positionals.front() + "' stands before '--'", {},
                "write oomprobe run [options] -- COMMAND");
  }
  if (arguments.command.empty() || arguments.command.front().empty()) {
    return fail("no command was given", {}, "write oomprobe run [options] -- COMMAND");
  }
  auto watch = read_watch(arguments);
  if (!watch) return fail(watch.error());
  RunSettings out;
  out.watch = std::move(*watch);
  out.command = arguments.command;
  out.signal_group = arguments.flag("signal-group");
  if (arguments.text("kill-after") != "off") {
    const auto after = arguments.get("kill-after", parse_duration);
    if (!after) return fail(after.error());
    out.kill_after = *after;
  }
  const std::string score = arguments.text("oom-score-adj");
  if (score == "keep") {
    out.score = RunSettings::Score::keep;
  } else if (score != "auto") {
    const auto value = arguments.get("oom-score-adj", parse_score);
    if (!value) return fail(value.error());
    out.score = RunSettings::Score::set;
    out.oom_score_adj = *value;
  }
  return out;
}

Result<SnapshotSettings> read_snapshot(const Arguments& arguments) {
  SnapshotSettings out;
  const auto timeout = arguments.get("ecs-timeout", parse_duration);
  if (!timeout) return fail(timeout.error());
  if (!arguments.text("fail-above").empty()) {
    const auto percent = arguments.get("fail-above", parse_percent);
    if (!percent) return fail(percent.error());
    out.fail_above = *percent;
  }
  auto output = read_output(arguments);
  if (!output) return fail(output.error());
  out.output = std::move(*output);
  out.ecs_timeout = *timeout;
  out.cgroup = arguments.text("cgroup");
  return out;
}

Result<DoctorSettings> read_doctor(const Arguments& arguments) {
  const auto timeout = arguments.get("ecs-timeout", parse_duration);
  if (!timeout) return fail(timeout.error());
  return DoctorSettings{arguments.text("format"), *timeout, arguments.text("cgroup")};
}

Result<RecoverSettings> read_recover(const Arguments& arguments) {
  if (arguments.positionals.size() != 1) {
    return fail(arguments.positionals.empty() ? "no flight recorder was named"
                                              : "more than one flight recorder was named",
                {}, "write oomprobe recover PATH");
  }
  return RecoverSettings{arguments.positionals.front()};
}

}  // namespace oomdrill::probe
