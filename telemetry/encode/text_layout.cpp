#include "encode/text_layout.h"

#include <array>

namespace oomdrill::telemetry {
namespace {

constexpr std::array kLayouts = {
    Layout{"container.ended", "[verdict=oom_killed:!!]",
           "[its main process {pid} ][pid=:it ]ended: {verdict}[ ({confidence})]"
           "[, exit code {exit_code}][ ({known_status})][, last seen at {used_bytes}][ of "
           "{limit_bytes}][, peak {peak_bytes}]"},
    Layout{"drill.ended", "[verdict=oom_killed:!!]",
           "{verdict} ({confidence}): {why}[, {kills} OOM kills outside][, {disagreement}]"
           "[timed_out=true:, stopped by --timeout]"},
    Layout{"drill.started", "",
           "[{drill}: ]{command}, {memory_bytes} in {where}[stretch!=1:, a second counts as "
           "{stretch} for alarms]"},
    Layout{"leak.started", "",
           "[worker {worker}: ]{pattern}[ at {rate_bytes_per_s}][, {kind} memory][, until "
           "{until}][ ({until_bytes} by "
           "{basis})]"
           "[then!=exit:, then {then}][, at most {max_bytes}]"
           "[; limit {limit_bytes}][ ({limit_source}: {limit_where})]"
           "[limit_bytes=:; no limit][, used {used_bytes}]"
           "[, malloc by {allocator.name}][ {allocator.version}][ with {allocator.options}]"
           "[; unproven {allocator.options_unproven}]"},
    Layout{"leak.progress", "",
           "[worker {worker}: ]@[, live {live_bytes}][, {achieved_bytes_per_s}]"
           "[debt_bytes!=0:, behind by {debt_bytes}][lost_bytes!=0:, gave up {lost_bytes}]"
           "[, OOM in {eta_oom_s}][, {fragmentation} resident a live byte]"},
    Layout{"leak.holding", "",
           "[worker {worker}: ]@[, holding {live_bytes}][, target {target_bytes}][, after "
           "{elapsed_s}]"},
    Layout{"leak.released", "", "[worker {worker}: ]@[, all given back][, after {elapsed_s}]"},
    Layout{
        "leak.target_reached", "",
        "[worker {worker}: ]{reason} reached[ after {elapsed_s}], grows on[, used {used_bytes}]"},
    Layout{"leak.stopped", "",
           "[worker {worker}: ]{reason}[ {signal}][ after {elapsed_s}][, live {live_bytes}][, used "
           "{used_bytes}]"
           "[ of {limit_bytes}][, {achieved_bytes_per_s}][ of {requested_bytes_per_s} asked]"},
    Layout{
        "leak.worker_killed", "!!",
        "worker {worker} (pid {pid})[oom=true: was OOM-killed][oom=false: was killed, and not by "
        "the OOM killer][oom=: was killed][restart!=0:, restarted {restart} times]"
        "[, used {used_bytes}][ of {limit_bytes}]"},
    Layout{"leak.verdict", "",
           "{expect} expected: {judgement}, it ended as {outcome}"
           "[workers_oom_killed!=0:, workers OOM-killed {workers_oom_killed}]"
           "[others_oom_killed!=0:, others {others_oom_killed}][, peak {peak_bytes}]"
           "[ of {limit_bytes}][late_growth_bytes!=0:, raised late by {late_growth_bytes}]"},
    Layout{"memory.growth", "[growing=true:!]",
           "[growing=true:{grows} grows, {growth_bytes_per_s}, OOM in {eta_oom_s}]"
           "[ ({confidence}, over {span_s})][growing=false:growth is over][; @]"},
    Layout{"memory.last_words", "!",
           "@[, anon {anon_bytes}][, file {file_bytes}][shmem_bytes!=0:, shmem {shmem_bytes}]"
           "[, kernel {kernel_bytes}]"},
    Layout{"memory.limit_changed", "!",
           "[now {limit_bytes}][limit_bytes=:now none][, was {previous_limit_bytes}]"
           "[previous_limit_bytes=:, was none]"},
    Layout{"memory.oom_kill", "!!",
           "{kills} killed by [scope=own_limit:its own limit][scope=descendant_limit:a limit below]"
           "[scope=ancestor_limit:the limit of an ancestor][scope=host:the host, which ran out]"
           "[scope=unknown:a limit unknown][confidence=likely: (likely)][, victim {victim.name}]"
           "[ (pid {victim.pid})][, {victims_unknown} unseen][, last seen at "
           "{last_sample.used_bytes}][ of {limit_bytes}]"
           "[, {last_sample.age_s} before][, peak {peak_bytes}]"
           "[survived=true:; the workload lives on]"},
    Layout{"memory.pressure", "[direction=up:!]",
           "[cause=stalled:stalled for lack of memory, {psi_some_avg10_percent} of 10 s]"
           "[cause=limit_hits:reclaim at the limit][cause=refaults:cache is read again and again]"
           "[cause=throttled:throttled at memory.high][direction=down:: over][; @]"},
    Layout{
        "memory.sample", "",
        "@[, anon {anon_bytes}][, file {file_bytes}][shmem_bytes!=0:, shmem {shmem_bytes}]"
        "[, kernel {kernel_bytes}][psi_some_avg10_percent!=0:, stalled {psi_some_avg10_percent}]"},
    Layout{"memory.threshold", "[direction=up:!]",
           "[direction=up:above {threshold_percent}][direction=down:back below "
           "{threshold_percent}]: [working set {working_set_bytes}][ ({working_set_percent}), ]@"
           "[, {growth_bytes_per_s}][, OOM in {eta_oom_s}]"},
    Layout{"probe.dropped", "!",
           "[{dropped} lines were not read][dropped!=0:; ][suppressed!=0:{suppressed} held back by "
           "--max-events-per-minute]"},
    Layout{"probe.previous_run", "[outcome=vanished:!!]",
           "the run before {outcome}[outcome=vanished: without a word][, workload {verdict}]"
           "[, last seen {last_seen}][ at {used_bytes}][ of {limit_bytes}][ ({used_percent})]"
           "[oom_kills!=0:, {oom_kills} OOM kills]"},
    Layout{"probe.started", "",
           "oomprobe {version}[, cgroup {cgroup_version}][ {cgroup_path}][; limit {limit_bytes}]"
           "[ ({limit_source})][limit_bytes=:; no limit][; every {interval_s}]"
           "[, warns at {thresholds}]"},
    Layout{"probe.stopped", "[dropped!=0:!]",
           "{reason}[, {events} events][dropped!=0:, {dropped} dropped][, {samples} samples]"
           "[, own memory {rss_bytes}][, CPU {cpu_s}]"},
    Layout{"probe.warning", "!", "{message}"},
    Layout{"workload.exited",
           "[verdict=oom_killed:!!][verdict=killed:!!][verdict=crashed:!!][verdict=failed:!]"
           "[verdict=stop_timeout:!!][verdict=allocation_failed:!!]",
           "{verdict}[confidence=likely: (likely)][ after {duration_s}]: exit code {exit_code}[, "
           "{signal}][, pid {pid}]"
           "[core_dumped=true:, core dumped][oom_evidence=none:, no OOM counter here]"
           "[, peak {peak_bytes}][ of {limit_bytes}]"},
    Layout{"workload.started", "", "pid {pid}: {command}"},
    Layout{"workload.stopping", "",
           "{signal} passed on to pid {pid}[, used {used_bytes}][ of {limit_bytes}]"},
};

}  // namespace

std::span<const Layout> layouts() { return kLayouts; }

}  // namespace oomdrill::telemetry
