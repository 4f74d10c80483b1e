#include "run/command.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "alarm/options.h"
#include "alarm/watch.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/units.h"
#include "recording/reader.h"
#include "recording/runs.h"
#include "report/alarms.h"
#include "report/content.h"
#include "report/write.h"
#include "run/drills.h"
#include "run/engine.h"
#include "run/frame.h"
#include "run/process.h"
#include "run/screen.h"
#include "run/session.h"
#include "run/summary.h"

namespace oomdrill::run {
namespace {

using drill::complain;
using drill::ExitCode;

constexpr std::array kOptions = {
    Option{.name = "memory",
           .value = "SIZE",
           .default_value = "64MiB",
           .help = "Limit of the cgroup, without swap",
           .short_name = 'm'},
    Option{.name = "engine",
           .value = "NAME",
           .default_value = "auto",
           .help = "What makes the cgroup: auto, cgroup (root), systemd (cgroup v2 without root), "
                   "docker; auto takes the first that works"},
    Option{.name = "workload",
           .value = "",
           .default_value = "",
           .help = "What follows -- is a command of its own, not leaksim's options"},
    Option{.name = "expect",
           .value = "HOW",
           .default_value = "oom_killed",
           .help = "How it has to end for exit code 0: oom_killed, completed, failed, crashed, "
                   "killed, stopped, stop_timeout (see --kill-after), allocation_failed, any"},
    Option{.name = "timeout",
           .value = "DURATION",
           .default_value = "15m",
           .help = "Stop a drill that has not ended by then: SIGTERM, 10 s later SIGKILL"},
    Option{.name = "kill-after",
           .value = "DURATION",
           .default_value = "off",
           .help = "From that SIGTERM until oomprobe kills a workload that does not end, as ECS "
                   "does after stopTimeout; below 10s"},
    Option{.name = "interval",
           .value = "DURATION",
           .default_value = "200ms",
           .help = "Between the probe's samples"},
    Option{.name = "output",
           .value = "PATH",
           .default_value = "",
           .help = "The recording, written anew if it exists; by default "
                   "oomdrill-<UTC time>-<process id>.jsonl here",
           .short_name = 'o'},
    Option{
        .name = "report",
        .value = "PATH",
        .default_value = "",
        .help =
            "Write the post-incident review there too: HTML, or as the name ends (.md, .json); of "
            "several drills review-1.html and so on"},
    Option{.name = "image",
           .value = "NAME",
           .default_value = "oomdrill",
           .help = "Image of --engine docker; it holds oomprobe and leaksim"},
    Option{.name = "format",
           .value = "NAME",
           .default_value = "text",
           .help = "Of the verdict on stdout: text or json"},
    Option{.name = "keep",
           .value = "",
           .default_value = "",
           .help = "Leave the cgroup or container in place, to be looked at"},
    Option{.name = "quiet",
           .value = "",
           .default_value = "",
           .help = "No narration, only the verdict",
           .short_name = 'q'},
    alarm::kAlarmsOption,
    alarm::kRequireLeadOption,
    alarm::kDelayOption,
    alarm::kNamespaceOption,
    Option{.name = "stretch",
           .value = "FACTOR",
           .default_value = "",
           .help = "For alarms a second of the drill counts as so many; by default as a named "
                   "drill says, else 1"},
    Option{.name = "check-prediction",
           .value = "PERCENT",
           .default_value = "",
           .help = "Exit with 1 if the end comes further from the predicted time than this"},
    Option{.name = "repeat",
           .value = "NUMBER",
           .default_value = "1",
           .help = "Do the drill so many times, each with a recording of its own"},
};

struct Settings {
  std::uint64_t memory_bytes = 0;
  std::string engine;
  bool own_workload = false;
  std::string expect;
  Nanoseconds timeout{0};
  std::string interval;
  std::string kill_after;
  std::string output;
  std::string report;
  std::string image;
  bool json = false;
  bool keep = false;
  bool quiet = false;
  double stretch = 1;
  std::optional<double> check_percent = {};
  std::uint64_t repeat = 1;
  const NamedDrill* named = nullptr;
  std::vector<std::string> command;
};

/// "20261124T110434Z".
std::string compact_time(WallTime time) {
  char text[25];
  format_time(time, text);
  std::string out;
  for (const char c : std::string_view(text, 19)) {
    if (c != '-' && c != ':') out += c;
  }
  return out + "Z";
}

/// With its own --expect leaksim lives on and judges a child: what would be judged here is the
/// judge.
Result<void> leave_judging(const Settings& settings) {
  constexpr std::string_view kRemedy =
      "give it before --: oomdrill run --expect oom_killed -- OPTIONS";
  if (settings.own_workload) return {};
  for (const std::string& word : settings.command) {
    if (word == "--expect" || word.starts_with("--expect=")) {
      return fail("behind -- it is leaksim's own", "--expect", std::string(kRemedy));
    }
  }
  const char* variable = std::getenv("LEAKSIM_EXPECT");
  if (variable != nullptr && *variable != '\0') {
    return fail("is set, and oomdrill judges by its own --expect", "LEAKSIM_EXPECT", "unset it");
  }
  return {};
}

Result<Settings> read_settings(const Arguments& arguments) {
  Settings settings;
  const auto memory = arguments.get("memory", parse_bytes);
  if (!memory) return fail(memory.error());
  if (*memory == 0) return fail("'0' is no limit", arguments.origin("memory"), "such as 64MiB");
  settings.memory_bytes = *memory;
  const auto timeout = arguments.get("timeout", parse_duration);
  if (!timeout) return fail(timeout.error());
  if (timeout->count() == 0) {
    return fail("'0' leaves no time", arguments.origin("timeout"), "such as 15m");
  }
  settings.timeout = *timeout;
  const auto interval = arguments.get("interval", parse_duration);
  if (!interval) return fail(interval.error());
  if (*interval < std::chrono::milliseconds(10)) {
    return fail("is too short", arguments.origin("interval"), "give 10ms or more");
  }
  settings.interval = arguments.text("interval");
  settings.kill_after = arguments.text("kill-after");
  if (settings.kill_after != "off") {
    const auto after = arguments.get("kill-after", parse_duration);
    if (!after) return fail(after.error());
    if (*after <= Nanoseconds(0) || *after >= std::chrono::seconds(10)) {
      return fail("'" + settings.kill_after + "' is out of range", arguments.origin("kill-after"),
                  "give less than 10s, when oomdrill itself kills, or off");
    }
  }
  settings.expect = arguments.text("expect");
  if (settings.expect != "any" &&
      std::find(kOutcomes.begin(), kOutcomes.end(), settings.expect) == kOutcomes.end()) {
    std::string known;
    for (const auto outcome : kOutcomes) known += std::string(outcome) + ", ";
    return fail("'" + settings.expect + "' is no way to end", arguments.origin("expect"),
                "known: " + known + "any");
  }
  const auto json = drill::wants_json(arguments);
  if (!json) return fail(json.error());
  settings.json = *json;
  settings.engine = arguments.text("engine");
  settings.output = arguments.text("output");
  settings.report = arguments.text("report");
  if (auto apart = report::refuse_same(settings.report, settings.output, "the recording"); !apart) {
    return fail(apart.error());
  }
  settings.image = arguments.text("image");
  settings.own_workload = arguments.flag("workload");
  settings.keep = arguments.flag("keep");
  settings.quiet = arguments.flag("quiet");
  settings.command = arguments.command;
  const auto stretch = alarm::read_stretch(arguments);
  if (!stretch) return fail(stretch.error());
  settings.stretch = stretch->value_or(1);
  if (arguments.given("check-prediction")) {
    const std::string text = arguments.text("check-prediction");
    const auto percent = parse_percent(text.ends_with('%') ? text : text + "%");
    if (!percent) return fail(Error(percent.error()).within(arguments.origin("check-prediction")));
    settings.check_percent = *percent;
  }
  const auto repeat =
      arguments.get("repeat", [](std::string_view text) { return parse_whole(text, 1, 10'000); });
  if (!repeat) return fail(repeat.error());
  settings.repeat = *repeat;
  if (!settings.own_workload && !settings.command.empty() &&
      settings.command.front() == "leaksim") {
    return fail("leaksim's options alone follow it", "--",
                "leave the word leaksim out, or run any command with --workload -- command…");
  }
  if (auto judged = leave_judging(settings); !judged) return fail(judged.error());
  if (settings.own_workload && settings.command.empty()) {
    return fail("no command", arguments.origin("workload"),
                "give one after --: oomdrill run --workload -- ./server --port 80");
  }
  return settings;
}

/// The settings of a named drill; what the user gave goes before what it brings.
Result<Settings> named_settings(const Settings& given, const Arguments& arguments,
                                const NamedDrill& named) {
  if (given.own_workload) {
    return fail("a named drill has its own", arguments.origin("workload"), "leave one of them out");
  }
  Settings settings = given;
  settings.named = &named;
  if (!arguments.given("memory")) settings.memory_bytes = *parse_bytes(named.memory);
  if (!arguments.given("interval")) settings.interval = std::string(named.interval);
  if (!arguments.given("stretch")) settings.stretch = named.stretch;
  if (!arguments.given("expect")) settings.expect = std::string(named.expect);
  settings.own_workload = named.own_workload;
  settings.command.assign(named.arguments.begin(), named.arguments.end());
  if (!arguments.command.empty()) {
    if (named.own_workload) return fail("it takes no options of leaksim", std::string(named.name));
    settings.command.insert(settings.command.end(), arguments.command.begin(),
                            arguments.command.end());
  }
  return settings;
}

/// The recording on disk. Its first failed write is kept; the drill goes on to its verdict.
class RecordingFile {
 public:
  static Result<RecordingFile> create(const std::string& path) {
    constexpr int kFlags = O_WRONLY | O_CREAT | O_CLOEXEC;
    Fd fd(::open(path.c_str(), kFlags | O_EXCL, 0644));
    const bool made = fd.valid();
    if (!made && errno == EEXIST) fd = Fd(::open(path.c_str(), kFlags | O_TRUNC, 0644));
    if (!fd) return fail_errno("cannot create", path, "choose another with --output");
    return RecordingFile(std::move(fd), path, made);
  }

  /// Of our own: a workload may have ended within one.
  void write_line(const std::string& line) { write(whole_ ? line : "\n" + line); }

  void write(std::string_view text) {
    if (!text.empty()) whole_ = text.back() == '\n';
    while (!text.empty() && !error_) {
      const auto n = ::write(fd_.get(), text.data(), text.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) {
        error_ = fail_errno("cannot write the recording", path_).value();
        return;
      }
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

  /// Of a drill that never came about nothing stays that was not there before.
  void discard() const {
    if (made_) ::unlink(path_.c_str());
  }

 private:
  RecordingFile(Fd fd, std::string path, bool made)
      : fd_(std::move(fd)), path_(std::move(path)), made_(made) {}
  Fd fd_;
  std::string path_;
  bool made_;          ///< by us: there was no such file
  bool whole_ = true;  ///< the last line has its end
  std::optional<Error> error_;
};

/// Above the probe's whether it is shielded or not, and no protection against the host's killer.
constexpr const char* kWorkloadScore = "500";

/// oomprobe run … -- leaksim …; both write JSON lines, whatever the environment says.
Result<std::vector<std::string>> probe_command(const Settings& settings, bool brings_programs) {
  const auto locate = [brings_programs](const std::string& name) -> Result<std::string> {
    return brings_programs ? Result<std::string>(name) : find_program(name);
  };
  auto probe = locate("oomprobe");
  if (!probe) return fail(probe.error());
  std::vector<std::string> argv = {
      *probe,        "run", "--format", "json", "--interval", settings.interval, "--oom-score-adj",
      kWorkloadScore};
  if (settings.kill_after != "off") {
    argv.insert(argv.end(), {"--kill-after", settings.kill_after});
  }
  argv.emplace_back("--");
  if (!settings.own_workload) {
    auto leak = locate("leaksim");
    if (!leak) return fail(leak.error());
    argv.insert(argv.end(), {*leak, "--format", "json"});
    if (std::getenv("LEAKSIM_REPORT_EVERY") == nullptr) {
      argv.insert(argv.end(), {"--report-every", settings.interval});
    }
  }
  argv.insert(argv.end(), settings.command.begin(), settings.command.end());
  if (settings.named != nullptr && settings.own_workload) {
    // The leak of a named drill's own command.
    auto leak = locate("leaksim");
    if (!leak) return fail(leak.error());
    constexpr std::string_view kWord = "leaksim ";
    for (std::string& word : argv) {
      if (word.starts_with(kWord)) word.replace(0, kWord.size(), join_command({*leak}) + " ");
    }
  }
  return argv;
}

std::string workload_text(const Settings& settings) {
  std::vector<std::string> words = settings.command;
  if (!settings.own_workload) words.insert(words.begin(), "leaksim");
  return printable(join_command(words));
}

/// Exit code of a drill that has not come about: its workload never ran. nullopt: it ran.
std::optional<ExitCode> never_ran(const Drill& drill, bool own_workload, std::string& why) {
  if (!drill.outside.status || drill.outside.timed_out || !drill.outside.signal.empty()) {
    return std::nullopt;
  }
  const int code = exit_code_of(*drill.outside.status);
  const auto kills = drill.outside.oom_kills().value_or(0);
  const bool begun =
      own_workload ? drill.account.started.has_value() : drill.account.leak.has_value();
  if (begun) return std::nullopt;
  if (kills > 0) {
    why = fmt::format(
        "--memory: {} is too small for the programs themselves: the kernel killed "
        "them before the workload began; give more, such as 32MiB",
        format_bytes(drill.memory_bytes));
    return ExitCode::unavailable;
  }
  // Its own line on stderr has said it.
  if (code == static_cast<int>(ExitCode::usage)) return ExitCode::usage;
  if (code == static_cast<int>(ExitCode::unavailable)) return ExitCode::unavailable;
  if (own_workload && (code == 126 || code == 127)) return ExitCode::usage;
  return std::nullopt;
}

/// What is shown while a drill runs, and what the verdict rests on.
class Narrator {
 public:
  Narrator(Screen screen, bool quiet, Room& room, Drill& drill, alarm::Watch& watch)
      : screen_(screen),
        quiet_(quiet),
        room_(room),
        drill_(drill),
        watch_(watch),
        reader_([this](const recording::Record& record) { take(record); }) {}

  void feed(std::string_view output) { reader_.feed(output); }

  void finish() {
    reader_.finish();
    screen_.clear();
    drill_.counts = reader_.counts();
    drill_.problems = reader_.problems();
  }

  void line(const std::string& text) {
    if (!quiet_) screen_.line(text);
  }
  void clear() { screen_.clear(); }

  void tick() {
    const auto& account = drill_.account;
    if (quiet_ || !screen_.is_live() || !account.origin() || account.exited) return;
    Gauge gauge;
    if (account.usage) gauge.used_bytes = account.usage->used_bytes;
    gauge.limit_bytes = drill_.memory_bytes;
    if (account.probe && account.probe->limit_bytes) {
      gauge.limit_bytes = *account.probe->limit_bytes;
    }
    // From outside it is fresher than the last event.
    if (room_.is_cheap()) {
      if (const auto seen = room_.observe()) {
        gauge.used_bytes = seen->used_bytes.value_or(gauge.used_bytes);
        gauge.killing = seen->oom_kill.value_or(0) > account.kills_total;
      }
    }
    if (account.leak_state) {
      gauge.bytes_per_s = account.leak_state->achieved_bytes_per_s;
    } else if (!account.thresholds.empty()) {
      gauge.bytes_per_s = account.thresholds.back().growth_bytes_per_s;
    }
    if (gauge.bytes_per_s.value_or(0) > 0 && gauge.limit_bytes > gauge.used_bytes) {
      gauge.eta_s = static_cast<double>(gauge.limit_bytes - gauge.used_bytes) / *gauge.bytes_per_s;
    }
    screen_.live(gauge.text());
  }

 private:
  void take(const recording::Record& record) {
    drill_.account.note(record);
    watch_.note(record);
    if (const auto text = narrate(record, drill_.account)) line(*text);
  }

  Screen screen_;
  bool quiet_;
  Room& room_;
  Drill& drill_;
  alarm::Watch& watch_;
  recording::Reader reader_;
};

/// The command line that does the same again.
std::string again(const Settings& settings) {
  std::vector<std::string> words = {"oomdrill", "run"};
  const auto add = [&words](std::string option, std::string value) {
    words.insert(words.end(), {std::move(option), std::move(value)});
  };
  const NamedDrill* named = settings.named;
  if (named != nullptr) words.emplace_back(named->name);
  if (named == nullptr || settings.memory_bytes != *parse_bytes(named->memory)) {
    constexpr std::uint64_t kMiB = 1 << 20;
    const std::uint64_t bytes = settings.memory_bytes;
    add("-m", bytes % kMiB == 0 ? fmt::format("{}MiB", bytes / kMiB) : std::to_string(bytes));
  }
  if (settings.expect != (named != nullptr ? named->expect : "oom_killed")) {
    add("--expect", settings.expect);
  }
  if (settings.kill_after != "off") add("--kill-after", settings.kill_after);
  if (settings.stretch != (named != nullptr ? named->stretch : 1)) {
    add("--stretch", fmt::format("{:g}", settings.stretch));
  }
  if (named == nullptr && settings.own_workload) words.emplace_back("--workload");
  // What a named drill brings needs no telling.
  const auto own = static_cast<std::ptrdiff_t>(named != nullptr ? named->arguments.size() : 0);
  if (static_cast<std::ptrdiff_t>(settings.command.size()) > own) words.emplace_back("--");
  words.insert(words.end(), settings.command.begin() + own, settings.command.end());
  return join_command(words);
}

/// From the recording, as `oomdrill report` would write it.
Result<void> write_review(const std::string& path, const Drill& drill, ExitCode& code) {
  code = ExitCode::io_error;
  recording::Input input{};
  const auto runs = recording::read_runs({drill.recording}, input);
  if (!runs) return fail(runs.error());
  report::Extras extras;
  if (drill.findings) {
    extras.alarms = report::alarm_results(*drill.findings, *drill.incident);
    extras.alarm_source = drill.alarms->source;
    extras.stretch = drill.stretch;
  }
  const auto format = report::format_of("", path);
  return report::write_report(path, report::render(report::compose(*runs, extras), *format), code);
}

void judge_alarms(Drill& drill, const alarm::Watched& watched, alarm::Watch& watch) {
  watch.next_recording();
  drill.incident = watch.incident();
  if (!drill.incident) return;
  drill.alarms = watched.set;
  drill.question = watched.question;
  drill.findings = alarm::examine(watched.set, watch.series(), *drill.incident, watched.question);
  const auto* seen = watch.series().find("AWS/ECS", "MemoryUtilization");
  if (seen == nullptr) return;
  for (const auto& each : seen->sets()) {
    drill.highest_utilization = std::max(drill.highest_utilization.value_or(0), each.sum.most);
  }
}

/// --check-prediction; says on stderr what it is about.
bool prediction_holds(const Drill& drill, const Settings& settings, drill::Streams& streams) {
  if (!settings.check_percent) return true;
  const auto error = prediction_error_percent(drill);
  if (!error) {
    streams.err << "oomdrill: --check-prediction: what was predicted did not come about, or there "
                   "is no prediction\n";
    return false;
  }
  if (std::abs(*error) <= *settings.check_percent) return true;
  streams.err << fmt::format(
      "oomdrill: --check-prediction: {:+.2f} % from the predicted time, {:g} "
      "% allowed\n",
      *error, *settings.check_percent);
  return false;
}

/// "drill-2.jsonl" for drill.jsonl.
std::string numbered(const std::string& path, const std::string& suffix) {
  const std::size_t slash = path.rfind('/');
  const std::size_t name = slash == std::string::npos ? 0 : slash + 1;
  std::size_t dot = path.rfind('.');
  if (dot == std::string::npos || dot <= name) dot = path.size();
  return path.substr(0, dot) + suffix + path.substr(dot);
}

/// One drill from its room to its verdict; `drill.workload` stays empty where it did not come
/// about. The names of its recording and its report take `suffix`.
ExitCode run_once(const Settings& settings, const std::optional<alarm::Watched>& watched,
                  const std::string& suffix, drill::Streams& streams, Drill& drill) {
  SystemClock clock;
  const std::string stamp = compact_time(clock.wall());
  drill.memory_bytes = settings.memory_bytes;
  drill.expected = settings.expect;
  drill.stretch = settings.stretch;
  if (settings.named != nullptr) drill.name = std::string(settings.named->name);
  const std::string name = fmt::format("oomdrill-{}-{}{}", stamp, ::getpid(), suffix);
  drill.recording = settings.output.empty() ? name + ".jsonl" : numbered(settings.output, suffix);
  alarm::Watch watch(watched ? watched->series : alarm::SeriesSet(), settings.stretch);

  const auto signals = Signals::open();
  if (!signals) return complain(streams, signals.error(), ExitCode::internal);
  auto choice =
      choose_engine(settings.engine,
                    {.memory_bytes = settings.memory_bytes, .name = name, .image = settings.image});
  if (!choice) {
    const bool unknown = choice.error().where == "--engine";
    return complain(streams, choice.error(), unknown ? ExitCode::usage : ExitCode::unavailable);
  }
  Room& room = *choice->room;
  const auto give_up = [&](const Error& error, ExitCode code) {
    if (auto removed = room.remove(); !removed) complain(streams, removed.error(), code);
    return complain(streams, error, code);
  };
  drill.engine = choice->engine->name;
  drill.refused = choice->refused;
  drill.where = room.where();
  drill.command = again(settings);

  auto argv = probe_command(settings, choice->engine->brings_programs);
  if (!argv) return give_up(argv.error(), ExitCode::unavailable);
  auto file = RecordingFile::create(drill.recording);
  if (!file) return give_up(file.error(), ExitCode::cannot_create);

  // The narration leaves stdout to the JSON.
  Screen screen = settings.json ? Screen(streams.err, streams.err_width)
                                : Screen(streams.out, streams.out_width);
  Narrator narrator(screen, settings.quiet, room, drill, watch);
  narrator.line(fmt::format("{:<12} {} in {}", "drill", workload_text(settings),
                            format_bytes(drill.memory_bytes)));
  narrator.line(fmt::format("{:<12} {}: {}", "engine", drill.engine, drill.where));
  for (const auto& [engine, why] : drill.refused) {
    narrator.line(fmt::format("{:<12} not {}: {}", "", engine, why));
  }

  const std::string started = started_line(drill, clock.wall());
  file->write(started);
  narrator.feed(started);
  const Session session{.argv = std::move(*argv),
                        .timeout = settings.timeout,
                        .shield = !choice->engine->brings_programs,
                        .on_output =
                            [&](std::string_view text) {
                              file->write(text);
                              narrator.feed(text);
                            },
                        .on_error_line =
                            [&](std::string_view text) {
                              narrator.clear();
                              streams.err << text << std::flush;
                            },
                        .on_tick = [&] { narrator.tick(); }};
  auto outside = run_session(session, room, *signals);
  if (!outside) {
    file->discard();
    return give_up(outside.error(), ExitCode::internal);
  }
  drill.outside = std::move(*outside);
  drill.where = room.where();
  narrator.finish();

  ExitCode code = ExitCode::as_expected;
  if (settings.keep) {
    narrator.line(
        fmt::format("{:<12} {}; remove it with: {}", "kept", drill.where, room.removal()));
  } else if (auto removed = room.remove(); !removed) {
    code = complain(streams, removed.error(), ExitCode::internal);
  }

  std::string why;
  if (const auto never = never_ran(drill, settings.own_workload, why)) {
    file->discard();
    if (!why.empty()) complain(streams, Error{why}, *never);
    return *never;
  }
  drill.workload = workload_text(settings);
  conclude(drill);
  file->write_line(ended_line(drill, clock.wall()));
  ++drill.counts.lines;
  ++drill.counts.events;
  if (file->error()) {
    drill.recorded = false;
    code = complain(streams, *file->error(), ExitCode::io_error);
  }
  if (watched) judge_alarms(drill, *watched, watch);
  if (settings.named != nullptr) drill.learnt = settings.named->learnt(drill);
  for (const std::string& disagreement : drill.verdict.disagreements) {
    streams.err << "oomdrill: the evidence disagrees: " << printable(disagreement) << '\n';
  }
  if (!settings.report.empty() && !file->error()) {
    ExitCode review = ExitCode::as_expected;
    const std::string path = numbered(settings.report, suffix);
    if (const auto written = write_review(path, drill, review); !written) {
      code = complain(streams, written.error(), review);
    }
  }
  if (code != ExitCode::as_expected) return code;
  if (!drill.as_expected() || !prediction_holds(drill, settings, streams)) {
    return ExitCode::otherwise;
  }
  const bool led = !drill.findings || drill.findings->met.value_or(true);
  return led ? ExitCode::as_expected : ExitCode::otherwise;
}

}  // namespace

constinit const Command kRunCommand = {
    .program = "oomdrill",
    .name = "run",
    .synopsis = "[DRILL…] [-- leaksim's options | --workload -- command…]",
    .summary = "A drill on this machine: a limited cgroup, a leak in it, and a verdict.",
    .options = kOptions,
    .epilogue =
        "Examples:\n"
        "  oomdrill run                                    the guide's leak: 1 MB/s into "
        "64 MiB\n"
        "  oomdrill run -m 256MiB -- --rate 20MB/s         faster, into more\n"
        "  oomdrill run --expect completed -- --until 90%  stops short of the limit\n"
        "  oomdrill run --expect any --workload -- make    any program under a limit\n"
        "  oomdrill run --alarms guide --stretch 64 -- --rate 8MB/s    what would its alarms have "
        "done?\n"
        "  oomdrill run --repeat 5 --check-prediction 2%   a gate for CI\n"
        "  oomdrill run guide blind-spot burst             drills with a name: one line each\n"
        "\nDrills: guide, blind-spot, burst, slow-leak, fragmentation, hidden-worker-kill, all; "
        "each is\n"
        "an incident of production on a scale of seconds, and says what was learnt. "
        "docs/alarms.md\n"
        "describes them.\n"
        "\nleaksim's options: leaksim --help\n",
    .takes_positionals = true,
    .takes_command = true,
    .unknown_option = "leaksim's options go behind --: oomdrill run -- --rate 8MB/s"};

ExitCode run_drill(const Arguments& arguments, drill::Streams& streams) {
  const auto given = read_settings(arguments);
  if (!given) return complain(streams, given.error(), ExitCode::usage);
  std::vector<Settings> wanted;
  for (const std::string& name : arguments.positionals) {
    std::vector<const NamedDrill*> named;
    if (name == "all") {
      for (const NamedDrill& each : named_drills()) named.push_back(&each);
    } else {
      const auto found = find_drill(name);
      if (!found) return complain(streams, found.error(), ExitCode::usage);
      named.push_back(*found);
    }
    for (const NamedDrill* each : named) {
      auto settings = named_settings(*given, arguments, *each);
      if (!settings) return complain(streams, settings.error(), ExitCode::usage);
      wanted.push_back(std::move(*settings));
    }
  }
  const bool is_named = !wanted.empty();
  if (!is_named) wanted.push_back(*given);
  const bool many = wanted.size() > 1 || given->repeat > 1;

  auto watched = alarm::read_watched(arguments, false, is_named ? "guide" : "");
  if (!watched) return complain(streams, watched.error().error, watched.error().code);

  ExitCode code = ExitCode::as_expected;
  std::vector<Drill> drills;
  bool interrupted = false;
  for (std::size_t i = 0; i < wanted.size() && !interrupted; ++i) {
    Settings settings = wanted[i];
    settings.quiet = settings.quiet || many;
    for (std::uint64_t run = 0; run < settings.repeat && !interrupted; ++run) {
      const std::string suffix = many ? fmt::format("-{}", drills.size() + 1) : "";
      Drill drill;
      const ExitCode ended = run_once(settings, *watched, suffix, streams, drill);
      if (drill.workload.empty()) {
        if (!many || !is_named) return ended;
        drill.learnt = "did not come about: see stderr";
      }
      // The first that goes wrong is the one to be told.
      if (code == ExitCode::as_expected) code = ended;
      interrupted = !drill.outside.signal.empty();
      if (!given->json && many) {
        if (is_named) {
          streams.out << line_summary(drill) << std::flush;
        } else {
          streams.out << text_summary(drill) << '\n' << std::flush;
        }
      }
      drills.push_back(std::move(drill));
    }
  }
  if (!many) {
    streams.out << (given->json ? json_summary(drills.back())
                                : (given->quiet ? "" : "\n") + text_summary(drills.back()));
  } else if (wanted.size() == 1) {
    streams.out << repeat_summary(drills, given->json);
  } else if (given->json) {
    streams.out << json_drills(drills);
  }
  return code;
}

}  // namespace oomdrill::run
