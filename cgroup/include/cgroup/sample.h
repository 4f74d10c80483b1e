#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "cgroup/location.h"

namespace oomdrill::cgroup {

using Bytes = std::optional<std::uint64_t>;
using Count = std::optional<std::uint64_t>;

/// memory.stat, in bytes. v1 names are mapped onto v2's where they mean the same (facts.md, 4);
/// v1 values are the hierarchical total_* ones where present. Absent is absent, never 0.
struct Stat {
  Bytes anon;           ///< v1: rss (anonymous and swap cache, no shmem)
  Bytes file;           ///< page cache *with* shmem; v1: cache
  Bytes shmem;          ///< tmpfs, memfd, SysV and shared anonymous
  Bytes kernel;         ///< v2 `kernel` (5.18); v1: memory.kmem.usage_in_bytes
  Bytes slab;           ///< v2 only
  Bytes kernel_stack;   ///< v2 only
  Bytes pagetables;     ///< v2 only
  Bytes sock;           ///< v2 only
  Bytes inactive_file;  ///< on the inactive LRU: what docker, kubelet and ECS (v2) subtract
  Bytes active_file;
  Bytes inactive_anon;
  Bytes active_anon;
  Bytes unevictable;
  Bytes file_mapped;
  Bytes file_dirty;
  Bytes anon_thp;  ///< transparent huge pages; v1: rss_huge
  Count pgfault;
  Count pgmajfault;
  Count workingset_refault_file;  ///< v1: total_workingset_refault_file where the kernel has it
};

/// memory.events / memory.oom_control; counts since the cgroup was made.
struct Counters {
  Count low;
  Count high;
  Count max;             ///< hits of the limit that reclaim may have solved; v1: memory.failcnt
  Count oom;             ///< v2 only. Never decide on it (facts.md, 2)
  Count oom_kill;        ///< processes killed. v1: memory.oom_control
  Count oom_group_kill;  ///< kernel 5.17
  /// v1's memory.oom_control: 1 where the OOM killer is off, and processes hang at the limit.
  Count oom_kill_disable;
};

/// memory.pressure; averages in percent, totals in microseconds.
struct Pressure {
  struct Line {
    double avg10 = 0, avg60 = 0, avg300 = 0;
    std::uint64_t total_us = 0;
  };
  Line some;
  Line full;
};

/// One reading of a memory cgroup. Bytes unless said otherwise.
struct Sample {
  std::uint64_t current = 0;  ///< memory.current / memory.usage_in_bytes
  Bytes peak;                 ///< memory.peak (5.19) / memory.max_usage_in_bytes
  Bytes swap;                 ///< memory.swap.current / memory.stat swap, or memsw.usage − usage
  Bytes limit;                ///< own limit at this moment; nullopt: none
  Bytes soft_limit;           ///< memory.low / soft_limit_in_bytes; nullopt: none
  Stat stat;
  Counters own;           ///< this cgroup alone: memory.events.local (5.2) / v1
  Counters hierarchical;  ///< with descendants: memory.events; absent on v1, whose counter is local
  std::optional<Pressure> pressure;
  bool has_stat = false;  ///< memory.stat was read in this sample (it may be left out, being dear)

  /// The counter that a verdict rests on: hierarchical where there is one, else own.
  [[nodiscard]] const Counters& deciding() const {
    return hierarchical.oom_kill ? hierarchical : own;
  }
};

/// What each observer shows for the same sample; nullopt where a needed counter is absent.
/// Sources: facts.md, 4.
Bytes ecs_used(const Sample& sample, Version version);  ///< ECS agent, before MiB truncation
Bytes working_set(const Sample& sample);                ///< kubelet, cAdvisor
Bytes docker_used(const Sample& sample);                ///< `docker stats`

/// What ECS publishes as MemoryUtilization for `used` bytes out of ecs_used(): whole MiB in percent
/// of `whole` (the limit, or the reservation where there is none); nullopt without one of them.
std::optional<double> ecs_utilization(const Bytes& used, const Bytes& whole);

}  // namespace oomdrill::cgroup
