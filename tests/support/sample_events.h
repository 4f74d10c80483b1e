#pragma once

#include <chrono>
#include <limits>
#include <vector>

#include "telemetry/encoder.h"
#include "telemetry/event.h"

namespace oomdrill::telemetry {

inline constexpr WallTime kSampleTime =
    WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) + std::chrono::hours(11) +
             std::chrono::minutes(4) + std::chrono::seconds(34) + std::chrono::milliseconds(123));

inline Event& add_usage(Event& event) {
  return event.number("used_bytes", 64'290'816u)
      .number("limit_bytes", 67'108'864u)
      .real("used_percent", 95.8)
      .number("headroom_bytes", 2'818'048u);
}

inline Event& add_sample(Event& event) {
  return add_usage(event)
      .number("working_set_bytes", 64'200'704u)
      .number("ecs_used_bytes", 64'200'704u)
      .number("peak_bytes", 64'290'816u)
      .number("swap_bytes", 0u)
      .number("anon_bytes", 60'817'408u)
      .number("file_bytes", 1'257'472u)
      .number("shmem_bytes", 0u)
      .number("kernel_bytes", 2'215'936u)
      .number("slab_bytes", 1'048'576u)
      .number("inactive_file_bytes", 90'112u)
      .number("active_file_bytes", 1'167'360u)
      .number("oom_kills", 0u)
      .number("oom_max_hits", 12u)
      .real("psi_some_avg10_percent", 0.31)
      .real("psi_full_avg10_percent", 0)
      .number("psi_some_total_us", 81'234u)
      .number("psi_full_total_us", 0u);
}

inline Event& add_proof(Event& event) {
  return event.number("rss_bytes", 62'914'560u)
      .number("charged_bytes", 59'998'208u)
      .number("touched_bytes", 12'000'000u)
      .begin("observers")
      .number("cgroup_bytes", 64'290'816u)
      .number("rss_bytes", 62'914'560u)
      .number("docker_bytes", 64'286'720u)
      .number("kubelet_bytes", 64'286'720u)
      .number("ecs_v1_bytes", 62'390'272u)
      .number("ecs_v2_bytes", 64'286'720u)
      .real("ecs_v1_percent", 92.19)
      .real("ecs_v2_percent", 95.31)
      .end();
}

/// One of every event that the programs write, as full as it comes.
inline std::vector<Event> every_event() {
  std::vector<Event> events;
  const auto make = [&events](std::string_view name) -> Event& {
    const auto nth = static_cast<std::int64_t>(events.size());
    return events.emplace_back(name, kSampleTime + std::chrono::seconds(nth));
  };
  make("leak.started")
      .text("pattern", "linear")
      .text("kind", "anon")
      .text("claimed_counter", "anon")
      .real("overhead_percent", 0.5)
      .text("content", "unique")
      .real("touch_percent_per_s", 20)
      .real("rate_bytes_per_s", 1e6)
      .number("seed", 1u)
      .text("until", "90%")
      .number("until_bytes", 60'397'977u)
      .text("basis", "current")
      .text("then", "hold")
      .number("max_bytes", 134'217'728u)
      .real("duration_s", 600)
      .text("cgroup_version", "v1")
      .number("limit_bytes", 67'108'864u)
      .text("limit_source", "own")
      .text("limit_where", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
      .boolean("limit_complete", true)
      .number("used_bytes", 2'215'936u)
      .text("version", "0.1.0")
      .integer("pid", 7)
      .begin("allocator")
      .text("name", "jemalloc")
      .text("version", "5.3.0")
      .text("file", "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2")
      .text("options", "narenas=1")
      .text("options_unproven", "bogus=1")
      .boolean("proven", true)
      .end();
  for (const std::string_view name :
       {"leak.progress", "leak.holding", "leak.released", "leak.target_reached"}) {
    Event& event = make(name);
    if (name == "leak.target_reached") event.text("reason", "until");
    event.real("elapsed_s", 60.012).number("live_bytes", 60'000'000u);
    add_usage(event)
        .number("allocated_bytes", 60'000'000u)
        .real("requested_bytes_per_s", 1e6)
        .real("achieved_bytes_per_s", 999'812.5)
        .number("debt_bytes", 4096u)
        .number("lost_bytes", 0u);
    if (name == "leak.progress") event.real("eta_oom_s", 2.8);
    add_proof(event);
    if (name == "leak.progress") {
      event.begin("heap")
          .number("allocated_bytes", 60'211'200u)
          .number("active_bytes", 60'432'512u)
          .number("resident_bytes", 63'127'680u)
          .number("mapped_bytes", 66'723'968u)
          .number("retained_bytes", 1'101'824u)
          .number("free_bytes", 0u)
          .end()
          .real("fragmentation", 1.04);
    }
    if (name == "leak.holding") {
      event.number("target_bytes", 64'424'509u).number("reading_bytes", 64'290'816u);
    }
  }
  add_proof(add_usage(make("leak.stopped")
                          .text("reason", "signal")
                          .text("signal", "SIGTERM")
                          .real("elapsed_s", 60.5)
                          .number("live_bytes", 60'000'000u))
                .number("allocated_bytes", 60'000'000u)
                .real("requested_bytes_per_s", 1e6)
                .real("achieved_bytes_per_s", 999'812.5)
                .number("debt_bytes", 0u)
                .number("lost_bytes", 0u))
      .boolean("charged_as_claimed", true)
      .number("residue_bytes", 0u)
      .number("events_dropped", 0u);
  make("leak.worker_killed")
      .number("worker", 2u)
      .number("restart", 0u)
      .integer("pid", 9)
      .text("signal", "SIGKILL")
      .boolean("oom", true)
      .number("oom_kills", 1u)
      .number("used_bytes", 66'912'256u)
      .number("limit_bytes", 67'108'864u);
  make("leak.verdict")
      .text("expect", "plateau")
      .text("judgement", "unmet")
      .text("outcome", "survived")
      .number("workers_oom_killed", 0u)
      .number("others_oom_killed", 0u)
      .number("restarts", 0u)
      .number("peak_bytes", 50'331'648u)
      .number("late_growth_bytes", 16'777'216u)
      .number("limit_bytes", 67'108'864u);
  make("probe.started")
      .text("version", "0.1.0")
      .integer("pid", 1)
      .real("interval_s", 1)
      .text("cgroup_version", "v2")
      .text("cgroup_layout", "v2")
      .text("cgroup_path", "/sys/fs/cgroup")
      .number("limit_bytes", 67'108'864u)
      .text("limit_source", "own")
      .text("limit_where", "/sys/fs/cgroup/memory.max")
      .boolean("limit_complete", false)
      .begin("limits_considered")
      .number("own", 67'108'864u)
      .text("ancestor", "max")
      .number("host", 8'186'232'832u)
      .end()
      .text("notification", "poll_pollpri")
      .text("pressure_trigger", "system")
      .text("pressure_trigger_reason", "/sys/fs/cgroup/memory.pressure: Read-only file system")
      .boolean("locked", true)
      .boolean("pid1", true)
      .boolean("subreaper", false)
      .text("thresholds", "75%,85%,95%");
  make("probe.warning").text("message", "mlockall failed: the loop may stall near the limit");
  make("probe.previous_run")
      .text("outcome", "vanished")
      .text("verdict", "oom_killed")
      .text("command", "leaksim --rate 1MB/s")
      .text("last_seen", "2026-11-24T10:59:01.000Z")
      .real("duration_s", 301.4)
      .number("used_bytes", 66'912'256u)
      .number("limit_bytes", 67'108'864u)
      .real("used_percent", 99.71)
      .number("oom_kills", 1u);
  make("probe.dropped").number("dropped", 5u).number("suppressed", 48u);
  make("workload.started")
      .integer("pid", 7)
      .text("command", "leaksim --rate 1MB/s")
      .integer("oom_score_adj", 1000);
  make("workload.stopping")
      .integer("pid", 7)
      .text("signal", "SIGTERM")
      .number("used_bytes", 64'290'816u)
      .number("limit_bytes", 67'108'864u);
  make("container.ended")
      .integer("pid", 41)
      .text("verdict", "oom_killed")
      .text("confidence", "likely")
      .number("oom_kills", 1u)
      .number("used_bytes", 66'912'256u)
      .number("limit_bytes", 67'108'864u)
      .number("peak_bytes", 67'108'864u);
  make("container.ended")
      .text("verdict", "unknown")
      .text("confidence", "unknown")
      .integer("exit_code", 137)
      .text("known_status", "STOPPED")
      .number("used_bytes", 66'912'256u);
  add_sample(make("memory.sample"))
      .metric("MemoryUtilization", 95.3125, Unit::percent)
      .metric("memory_reservation", 33'554'432, Unit::bytes)
      .metric("oom_killed", 0, Unit::count)
      .number("probe_rss_bytes", 2'412'544u)
      .real("probe_cpu_s", 0.041)
      .real("probe_longest_stall_s", 0.002);
  make("memory.threshold")
      .real("threshold_percent", 95)
      .text("direction", "up")
      .number("used_bytes", 64'290'816u)
      .real("used_percent", 95.8)
      .number("limit_bytes", 67'108'864u)
      .number("headroom_bytes", 2'818'048u)
      .number("working_set_bytes", 64'200'704u)
      .real("working_set_percent", 95.7)
      .real("growth_bytes_per_s", 1'003'520)
      .real("eta_oom_s", 2.8);
  add_sample(make("memory.last_words"))
      .metric("MemoryUtilization", 95.3125, Unit::percent)
      .metric("oom_killed", 0, Unit::count);
  add_usage(make("memory.growth").boolean("growing", true))
      .number("anon_bytes", 60'817'408u)
      .number("shmem_bytes", 0u)
      .number("kernel_bytes", 2'215'936u)
      .text("grows", "anon")
      .real("growth_bytes_per_s", 1'003'520)
      .real("eta_oom_s", 2.8)
      .real("eta_oom_least_s", 2.5)
      .real("eta_oom_most_s", 3.1)
      .text("confidence", "likely")
      .real("span_s", 23.004)
      .number("points", 24u);
  add_usage(
      make("memory.pressure").text("cause", "stalled").text("direction", "up").real("level", 12.4))
      .real("psi_some_avg10_percent", 12.4)
      .real("psi_some_avg60_percent", 3.1)
      .real("psi_some_avg300_percent", 0.9)
      .real("psi_full_avg10_percent", 8.2)
      .real("psi_full_avg60_percent", 2)
      .real("psi_full_avg300_percent", 0.5)
      .number("psi_some_total_us", 81'234u)
      .number("psi_full_total_us", 40'100u)
      .number("oom_max_hits", 12u)
      .number("high_hits", 0u)
      .number("refaults", 512u);
  make("memory.limit_changed")
      .number("limit_bytes", 134'217'728u)
      .text("limit_source", "own")
      .boolean("limit_complete", true)
      .number("previous_limit_bytes", 67'108'864u);
  make("memory.oom_kill")
      .text("scope", "own_limit")
      .text("confidence", "certain")
      .number("kills", 1u)
      .boolean("group_kill", false)
      .begin("victim")
      .integer("pid", 7)
      .text("name", "leaksim")
      .text("command", "leaksim --rate 1MB/s")
      .number("rss_bytes", 64'487'424u)
      .integer("oom_score", 1312)
      .text("confidence", "certain")
      .end()
      .begin("also_killed")
      .text("9", "helper")
      .end()
      .number("victims_unknown", 1u)
      .boolean("survived", false)
      .number("used_bytes", 66'912'256u)
      .number("limit_bytes", 67'108'864u)
      .text("limit_source", "own")
      .boolean("limit_complete", true)
      .number("peak_bytes", 67'108'864u)
      .begin("evidence")
      .number("oom", 1u)
      .number("max", 72u)
      .number("oom_kill", 1u)
      .number("oom_group_kill", 0u)
      .number("host_oom_kill", 1u)
      .real("used_percent", 99.71)
      .real("peak_percent", 100)
      .number("host_available_bytes", 5'200'000'000u)
      .end()
      .begin("counters_before")
      .number("max", 12u)
      .number("oom", 0u)
      .number("oom_kill", 0u)
      .number("oom_group_kill", 0u)
      .end()
      .begin("counters_after")
      .number("max", 84u)
      .number("oom", 1u)
      .number("oom_kill", 1u)
      .number("oom_group_kill", 0u)
      .end()
      .number("host_oom_kills_delta", 1u)
      .begin("last_sample")
      .real("age_s", 0.412)
      .number("used_bytes", 66'912'256u)
      .number("anon_bytes", 63'438'848u)
      .number("file_bytes", 1'257'472u)
      .number("shmem_bytes", 0u)
      .number("kernel_bytes", 2'215'936u)
      .end()
      .metric("oom_killed", 1, Unit::count);
  make("workload.exited")
      .integer("pid", 7)
      .integer("exit_code", 137)
      .text("signal", "SIGKILL")
      .boolean("core_dumped", false)
      .text("verdict", "oom_killed")
      .text("confidence", "certain")
      .boolean("stop_requested", false)
      .real("duration_s", 61.2)
      .number("used_bytes", 66'912'256u)
      .number("limit_bytes", 67'108'864u)
      .number("peak_bytes", 67'108'864u)
      .begin("evidence")
      .integer("wait_status", 9)
      .number("oom_kill", 1u)
      .number("host_oom_kill", 1u)
      .boolean("counters_trusted", true)
      .number("max", 72u)
      .real("used_percent", 99.71)
      .real("working_set_percent", 99.6)
      .real("age_s", 0.412)
      .begin("signals")
      .real("SIGTERM", 60.1)
      .end()
      .end();
  make("probe.stopped")
      .text("reason", "workload_exited")
      .number("events", 73u)
      .number("dropped", 0u)
      .number("suppressed", 0u)
      .number("samples", 62u)
      .number("pressure_wakes", 1u)
      .number("rss_bytes", 2'412'544u)
      .real("cpu_s", 0.041)
      .real("longest_stall_s", 0.002);
  make("probe.doctor")
      .text("version", "0.1.0")
      .text("kernel", "6.1.0-18-cloud-amd64")
      .boolean("gvisor", false)
      .boolean("watchable", true)
      .text("cgroup_version", "v1")
      .text("cgroup_layout", "hybrid")
      .text("cgroup_path", "/sys/fs/cgroup/memory")
      .text("kernel_path", "/docker/0f5c")
      .boolean("ancestors_hidden", true)
      .boolean("read_only", true)
      .number("limit_bytes", 67'108'864u)
      .text("limit_source", "own")
      .boolean("limit_complete", true)
      .text("limit_where", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
      .begin("limits_considered")
      .number("own", 67'108'864u)
      .end()
      .number("used_bytes", 2'215'936u)
      .begin("counters")
      .boolean("oom_kill", true)
      .boolean("oom", false)
      .end()
      .begin("notifications")
      .text("event_control", "Read-only file system")
      .text("psi_trigger_system", "works")
      .end()
      .number("memlock_limit_bytes", 65'536u)
      .boolean("lockable", false)
      .integer("oom_score_adj", 0)
      .text("ecs_endpoint", "absent")
      .begin("guarantees")
      .text("limit", "The limit is the lowest that binds here.")
      .end();
  make("drill.started")
      .text("drill", "guide")
      .text("command", "oomdrill run guide")
      .text("engine", "cgroup")
      .text("where", "/sys/fs/cgroup/memory/oomdrill-20261124T110434Z-7")
      .number("memory_bytes", 67'108'864u)
      .real("stretch", 64)
      .text("version", "0.1.0");
  make("drill.ended")
      .text("verdict", "oom_killed")
      .text("confidence", "disputed")
      .text("why", "own limit, oom_kill 0 → 2 outside, 0 → 1 inside")
      .number("kills", 2u)
      .boolean("timed_out", false)
      .number("exit_code", 137u)
      .text("disagreement", "the cgroup's counter says 2 OOM kills (0 → 2), the probe reported 1");
  return events;
}

/// As identity/ fills it on Fargate.
inline Context sample_context() {
  Context context;
  context.members = {{"cluster", "drills"},
                     {"service", "web"},
                     {"family", "web-leak"},
                     {"revision", "7"},
                     {"task_id", "8f03e41243824aea923aca126495f665"},
                     {"container_name", "app"},
                     {"container_id", "8f03e41243824aea923aca126495f665-2637524672"},
                     {"availability_zone", "eu-central-1a"},
                     {"launch_type", "FARGATE"}};
  context.dimension_sets = {{{"ClusterName", "drills"}, {"ServiceName", "web"}},
                            {{"TaskDefinitionFamily", "web-leak"}, {"ContainerName", "app"}}};
  return context;
}

}  // namespace oomdrill::telemetry
