#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>

#include "base/clock.h"
#include "recording/account.h"
#include "recording/reader.h"

namespace oomdrill::test {

/// The line of an event `seconds` after the hour; `fields` is the rest of the object.
inline std::string event_line(std::string_view name, double seconds, std::string_view fields = "") {
  char time[25];
  format_time(WallTime(std::chrono::hours(24 * 365 * 50)) + from_seconds(seconds), time);
  return fmt::format(R"({{"event":"{}","time":"{}"{}{}}})"
                     "\n",
                     name, time, fields.empty() ? "" : ",", fields);
}

inline recording::Account account_of(std::string_view lines) {
  recording::Account account;
  recording::Reader reader([&](const recording::Record& record) { account.note(record); });
  reader.feed(lines);
  reader.finish();
  return account;
}

/// A drill as oomprobe and leaksim record it: 64 MiB at 8 MB/s, killed at its own limit.
inline std::string killed_drill() {
  return event_line("probe.started", -0.2,
                    R"("seq":1,"limit_bytes":67108864,"limit_source":"own",)"
                    R"("limit_where":"/sys/fs/cgroup/memory/d/memory.limit_in_bytes")") +
         event_line("workload.started", -0.1, R"("seq":2,"pid":7,"command":"leaksim")") +
         event_line("leak.started", 0,
                    R"("seq":1,"pattern":"linear","rate_bytes_per_s":8000000,"seed":1,)"
                    R"("used_bytes":2371008,"limit_bytes":67108864)") +
         event_line("memory.sample", 7.9,
                    R"("seq":3,"used_bytes":66000000,"limit_bytes":67108864,)"
                    R"("peak_bytes":66000000)") +
         event_line("leak.progress", 8,
                    R"("seq":2,"used_bytes":66000000,"limit_bytes":67108864,)"
                    R"("allocated_bytes":64000000,"requested_bytes_per_s":8000000,)"
                    R"("achieved_bytes_per_s":7990000,"debt_bytes":1000)") +
         event_line("memory.oom_kill", 8.13,
                    R"("seq":4,"scope":"own_limit","kills":1,"counters_before":{"oom_kill":0},)"
                    R"("counters_after":{"oom_kill":1},"limit_bytes":67108864,)"
                    R"("limit_source":"own",)"
                    R"("last_sample":{"age_s":0.2,"used_bytes":66000000},"peak_bytes":67108864,)"
                    R"("victim":{"pid":7,"name":"leaksim"},"survived":false)") +
         event_line("workload.exited", 8.14,
                    R"("seq":5,"pid":7,"exit_code":137,"signal":"SIGKILL","verdict":"oom_killed",)"
                    R"("duration_s":8.24,"peak_bytes":67108864)") +
         event_line("probe.stopped", 8.15, R"("seq":6,"dropped":0)");
}

/// The same as `oomdrill run` records it, which counts a second as 64.
inline std::string named_drill() {
  return event_line("drill.started", -0.3,
                    R"("seq":1,"drill":"guide","command":"oomdrill run guide","engine":"cgroup",)"
                    R"("where":"/d","memory_bytes":67108864,"stretch":64,"version":"0.1.0")") +
         killed_drill() +
         event_line("drill.ended", 8.2,
                    R"("seq":2,"verdict":"oom_killed","confidence":"certain",)"
                    R"("why":"own limit, oom_kill 0 → 1 outside, 0 → 1 inside","kills":1,)"
                    R"("timed_out":false,"exit_code":137)");
}

}  // namespace oomdrill::test
