#include "run/cgroup_watch.h"

namespace oomdrill::run {

Result<CgroupWatch> CgroupWatch::open(const cgroup::Location& location) {
  auto reader = cgroup::Reader::open(FileRoot(), location);
  if (!reader) return fail(std::move(reader.error()));
  return CgroupWatch(std::move(*reader));
}

Result<Observation> CgroupWatch::observe() const {
  cgroup::Sample sample;
  const auto read = reader_.read(sample, {.stat = false, .pressure = false});
  if (!read) return fail(read.error());
  const cgroup::Counters& counters = sample.deciding();
  return Observation{.used_bytes = sample.current,
                     .peak_bytes = sample.peak,
                     .limit_bytes = sample.limit,
                     .oom_kill = counters.oom_kill,
                     .oom_group_kill = counters.oom_group_kill,
                     .engine_oom_killed = {},
                     .engine_exit_code = {}};
}

}  // namespace oomdrill::run
