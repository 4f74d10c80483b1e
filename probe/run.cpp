#include <fmt/format.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cgroup/location.h"
#include "ecs/metadata.h"
#include "loop.h"
#include "memory_lock.h"
#include "monitor.h"
#include "program.h"
#include "session.h"
#include "setup.h"
#include "supervise/child.h"
#include "supervise/signals.h"
#include "supervise/supervisor.h"

namespace oomdrill::probe {
namespace {

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

/// Under --source auto: there is no cgroup to read, but an endpoint, and nothing was asked for that
/// it cannot do.
bool only_endpoint_is_left(const WatchSettings& settings, const Machine& machine) {
  if (settings.from != WatchSettings::From::automatic) return false;
  if (settings.pid > 0 || !settings.cgroup.empty() || !settings.recorder.empty() ||
      settings.prometheus) {
    return false;
  }
  const char* endpoint = machine.environment(ecs::kEndpointVariable);
  return endpoint != nullptr && *endpoint != '\0' && !cgroup::locate(machine.root);
}

}  // namespace

int run(const RunSettings& settings, const Machine& machine) {
  // First of all: a signal that comes while this starts waits for the command instead of
  // ending the probe.
  const auto signals = open_signals(SignalInbox::Receive::all, machine);
  if (!signals) return signals.error();
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
  if (settings.all_siblings) return watch_siblings(settings, machine);
  if (settings.from == WatchSettings::From::ecs || only_endpoint_is_left(settings, machine)) {
    return watch_endpoint(settings, machine);
  }
  const auto signals = open_signals(SignalInbox::Receive::stops, machine);
  if (!signals) return signals.error();
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
