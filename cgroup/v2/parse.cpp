#include "v2/parse.h"

#include "text.h"

namespace oomdrill::cgroup::v2 {
namespace {

constexpr Field<Stat> kStatFields[] = {
    {"anon", &Stat::anon},
    {"file", &Stat::file},
    {"shmem", &Stat::shmem},
    {"kernel", &Stat::kernel},
    {"slab", &Stat::slab},
    {"kernel_stack", &Stat::kernel_stack},
    {"pagetables", &Stat::pagetables},
    {"sock", &Stat::sock},
    {"inactive_file", &Stat::inactive_file},
    {"active_file", &Stat::active_file},
    {"inactive_anon", &Stat::inactive_anon},
    {"active_anon", &Stat::active_anon},
    {"unevictable", &Stat::unevictable},
    {"file_mapped", &Stat::file_mapped},
    {"file_dirty", &Stat::file_dirty},
    {"anon_thp", &Stat::anon_thp},
    {"pgfault", &Stat::pgfault},
    {"pgmajfault", &Stat::pgmajfault},
    {"workingset_refault_file", &Stat::workingset_refault_file},
    // Before 5.9, which counted refaults of files only.
    {"workingset_refault", &Stat::workingset_refault_file},
};

constexpr Field<Counters> kEventFields[] = {
    {"low", &Counters::low},           {"high", &Counters::high},
    {"max", &Counters::max},           {"oom", &Counters::oom},
    {"oom_kill", &Counters::oom_kill}, {"oom_group_kill", &Counters::oom_group_kill},
};

}  // namespace

Result<Stat> parse_stat(std::string_view text, std::string_view where) {
  Stat stat;
  const auto parsed = parse_keyed<Stat>(text, where, kStatFields, stat);
  if (!parsed) return fail(parsed.error());
  return stat;
}

Result<Counters> parse_events(std::string_view text, std::string_view where) {
  Counters counters;
  const auto parsed = parse_keyed<Counters>(text, where, kEventFields, counters);
  if (!parsed) return fail(parsed.error());
  return counters;
}

}  // namespace oomdrill::cgroup::v2
