#include <fmt/format.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "identity/identity.h"
#include "loop.h"
#include "memory_lock.h"
#include "monitor.h"
#include "program.h"
#include "setup.h"
#include "supervise/child.h"
#include "supervise/signals.h"
#include "supervise/supervisor.h"

namespace oomdrill::probe {
namespace {

/// A reader of standard output that pauses must not hold up signals and looks.
constexpr Nanoseconds kPatience = std::chrono::milliseconds(20);
/// With nothing else left to do, the verdict may wait longer.
constexpr Nanoseconds kLastPatience = std::chrono::seconds(2);
/// Lines of thresholds, kills and verdicts that wait for a reader; 4 KiB each.
constexpr std::size_t kHeldLines = 8;

std::string describe_loss(int error) {
  switch (error) {
    case ETIMEDOUT:
      return "nobody reads it; read it, or give --output a file";
    case EPIPE:
      return "its reader is gone; keep it, or give --output a file";
    case ENOSPC:
    case EDQUOT:
      return std::string(std::strerror(error)) + "; free space there, or name another --output";
    default:
      return std::string(std::strerror(error)) + "; name another --output";
  }
}

/// Everything that can still be written. What cannot is told on standard error: false.
bool finish(telemetry::Emitter& emitter, const Output& output, const OutputSettings& settings,
            const Machine& machine) {
  const Nanoseconds deadline = machine.clock->now() + kLastPatience;
  for (;;) {
    const Nanoseconds before = machine.clock->now();
    if (emitter.flush() || before >= deadline) break;
    // It failed at once instead of waiting for a reader: it will not get better.
    if (machine.clock->now() - before < kPatience / 2) break;
  }
  const auto lost = emitter.dropped() + emitter.held();
  if (lost == 0) return true;
  complain(machine,
           fmt::format("{}: {} of {} events could not be written: {}",
                       settings.path == "-" ? "standard output" : settings.path, lost,
                       lost + emitter.emitted(), describe_loss(output.sink->last_error())));
  return false;
}

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

Launch make_launch(const RunSettings& settings, const Machine& machine, cgroup::Bytes limit) {
  Launch launch{settings.command, std::nullopt};
  if (settings.score == RunSettings::Score::set) launch.oom_score_adj = settings.oom_score_adj;
  if (settings.score == RunSettings::Score::raise) {
    if (const auto own = read_oom_score_adj(machine.root, "self")) {
      launch.oom_score_adj = raised_score(*own, limit);
    }
  }
  return launch;
}

struct Prepared {
  std::optional<ecs::Task> task;
  std::string ecs_warning;
  Output output;
  std::unique_ptr<RingFile> ring;
  std::unique_ptr<telemetry::Emitter> recorder;
  Exporter exporter;
};

tl::expected<Prepared, int> prepare(const WatchSettings& settings, const Machine& machine) {
  Prepared out;
  out.task = identity::ask_endpoint(machine.environment, settings.ecs_timeout, &out.ecs_warning);
  auto output = open_output(machine, settings.output, out.task, kPatience);
  if (!output) {
    complain(machine, output.error().error.line());
    return tl::unexpected<int>(code(output.error().code));
  }
  out.output = std::move(*output);
  if (!settings.recorder.empty()) {
    auto ring = RingFile::open(settings.recorder, settings.recorder_bytes);
    if (!ring) {
      complain(machine, Error(ring.error()).within("--recorder").line());
      return tl::unexpected<int>(code(ExitCode::cannot_create));
    }
    out.ring = std::make_unique<RingFile>(std::move(*ring));
    out.recorder = std::make_unique<telemetry::Emitter>(
        *telemetry::choose_encoder("json", false, false), out.output.context, *out.ring, 0);
  }
  if (settings.prometheus) {
    auto exporter = Exporter::open(*settings.prometheus, settings.policy.interval);
    if (!exporter) {
      complain(machine, Error(exporter.error()).within("--prometheus").line());
      return tl::unexpected<int>(code(ExitCode::cannot_create));
    }
    out.exporter = std::move(*exporter);
  }
  return out;
}

}  // namespace

int run(const RunSettings& settings, const Machine& machine) {
  // First of all: a signal that comes while this starts waits for the command instead of
  // ending the probe.
  const auto signals = SignalInbox::open(SignalInbox::Receive::all);
  if (!signals) {
    complain(machine, signals.error().line());
    return code(ExitCode::internal_error);
  }
  const bool subreaper = ::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0;
  auto prepared = prepare(settings.watch, machine);
  if (!prepared) return prepared.error();

  std::string blind;
  std::unique_ptr<Source> source;
  if (auto opened = open_source(machine, {}, prepared->task)) {
    source = std::move(*opened);
  } else {
    blind = opened.error().line();
    source = open_host(machine.root);
  }
  telemetry::Emitter emitter(prepared->output.encoder, std::move(prepared->output.context),
                             *prepared->output.sink, kHeldLines);
  Monitor monitor(*source, settings.watch.policy, emitter, *machine.clock,
                  reservation_of(prepared->task));
  if (prepared->ring) monitor.record(*prepared->recorder, *prepared->ring);
  if (const auto& location = source->subject().location) {
    monitor.watch_processes(ProcessTable(machine.root, location->directory));
  }
  PressureTrigger pressure(machine.root, source->subject().location);
  const std::string unlocked = lock_memory();

  StartFacts facts;
  facts.pid = ::getpid();
  facts.pid1 = facts.pid == 1;
  facts.subreaper = subreaper;
  facts.locked = unlocked.empty();
  facts.notification = source->events_fd() >= 0 ? "poll_pollpri" : "sigchld+poll";
  facts.pressure_trigger = pressure.where();
  facts.pressure_trigger_reason = pressure.reason();
  facts.thresholds = settings.watch.thresholds;
  monitor.start(facts);
  if (!blind.empty()) {
    monitor.warn(
        "no memory cgroup can be read, so the command runs without samples, and an OOM "
        "kill cannot be told from another SIGKILL: " +
        blind);
  }
  if (!unlocked.empty()) monitor.warn(unlocked);
  if (!prepared->ecs_warning.empty()) monitor.warn(prepared->ecs_warning);

  const Subject& subject = source->subject();
  const auto limit = subject.limit.is_cgroup_limit() ? subject.limit.bytes : std::nullopt;
  const Launch what = make_launch(settings, machine, limit);
  auto child = launch(what, *signals, machine.root);
  if (!child) {
    monitor.stop("exec_failed");
    (void)finish(emitter, prepared->output, settings.watch.output, machine);
    complain(machine, child.error().line());
    return exec_exit_code(child.error());
  }
  const auto score = child->oom_score_adj;
  const int score_error = child->oom_score_errno;
  const bool foreground = child->foreground;
  Supervisor supervisor(std::move(*child), settings.command.front(),
                        {settings.signal_group, settings.kill_after}, machine.root, *machine.clock);
  monitor.workload_started(supervisor, joined(settings.command), score);
  if (score_error != 0) {
    monitor.warn(
        fmt::format("oom_score_adj could not be set to {} ({}): the kernel may kill the "
                    "probe in place of the command",
                    *what.oom_score_adj, std::strerror(score_error)));
  }

  const LoopEnd end = run_loop(monitor, &supervisor, *source, pressure, *signals,
                               prepared->exporter, *machine.clock);
  // Back to those who had it, such as the script that this was started from.
  if (foreground) ::tcsetpgrp(STDIN_FILENO, ::getpgrp());
  monitor.stop(end.reason);
  prepared->exporter.finish(monitor);
  // It exits as the workload did, whatever became of the events.
  (void)finish(emitter, prepared->output, settings.watch.output, machine);
  return end.judgement->exit_code;
}

int watch(const WatchSettings& settings, const Machine& machine) {
  const auto signals = SignalInbox::open(SignalInbox::Receive::stops);
  if (!signals) {
    complain(machine, signals.error().line());
    return code(ExitCode::internal_error);
  }
  auto prepared = prepare(settings, machine);
  if (!prepared) return prepared.error();
  const FileRoot root = settings.pid > 0 ? root_of(machine.root, settings.pid) : machine.root;
  auto source = settings.pid > 0 ? open_process_source(machine.root, settings.pid)
                                 : open_source(machine, settings.cgroup, prepared->task);
  if (!source) {
    complain(machine, settings.pid > 0 ? Error(source.error()).within("--pid").line()
                                       : source.error().line());
    return code(ExitCode::unavailable);
  }
  telemetry::Emitter emitter(prepared->output.encoder, std::move(prepared->output.context),
                             *prepared->output.sink, kHeldLines);
  Monitor monitor(
      **source, settings.policy, emitter, *machine.clock,
      settings.cgroup.empty() && settings.pid == 0 ? reservation_of(prepared->task) : std::nullopt);
  if (prepared->ring) monitor.record(*prepared->recorder, *prepared->ring);
  monitor.watch_processes(ProcessTable(root, (*source)->subject().location->directory));
  PressureTrigger pressure(root, (*source)->subject().location);
  const std::string unlocked = lock_memory();

  StartFacts facts;
  facts.pid = ::getpid();
  facts.pid1 = facts.pid == 1;
  facts.locked = unlocked.empty();
  facts.notification = (*source)->events_fd() >= 0 ? "poll_pollpri" : "poll";
  facts.pressure_trigger = pressure.where();
  facts.pressure_trigger_reason = pressure.reason();
  facts.thresholds = settings.thresholds;
  monitor.start(facts);
  if (!unlocked.empty()) monitor.warn(unlocked);
  if (!prepared->ecs_warning.empty()) monitor.warn(prepared->ecs_warning);

  const LoopEnd end =
      run_loop(monitor, nullptr, **source, pressure, *signals, prepared->exporter, *machine.clock);
  monitor.stop(end.reason);
  prepared->exporter.finish(monitor);
  const bool written = finish(emitter, prepared->output, settings.output, machine);
  return code(written ? ExitCode::success : ExitCode::write_error);
}

}  // namespace oomdrill::probe
