#include "v1/parse.h"

#include "text.h"

namespace oomdrill::cgroup::v1 {
namespace {

constexpr Field<Stat> kStatFields[] = {
    // In the kernel's order.
    {"cache", &Stat::file},
    {"rss", &Stat::anon},
    {"rss_huge", &Stat::anon_thp},
    {"shmem", &Stat::shmem},
    {"mapped_file", &Stat::file_mapped},
    {"dirty", &Stat::file_dirty},
    {"workingset_refault_file", &Stat::workingset_refault_file},
    {"pgfault", &Stat::pgfault},
    {"pgmajfault", &Stat::pgmajfault},
    {"inactive_anon", &Stat::inactive_anon},
    {"active_anon", &Stat::active_anon},
    {"inactive_file", &Stat::inactive_file},
    {"active_file", &Stat::active_file},
    {"unevictable", &Stat::unevictable},
    // Before 5.9, which counted refaults of files only.
    {"workingset_refault", &Stat::workingset_refault_file},
};

constexpr std::string_view kTotal = "total_";

Bytes* find(StatFile& file, std::string_view key, std::size_t& hint) {
  if (key == "swap") return &file.swap;
  if (key == "hierarchical_memory_limit") return &file.hierarchical_limit;
  const Field<Stat>* const field = find_field<Stat>(kStatFields, key, hint);
  return field == nullptr ? nullptr : &(file.stat.*(field->member));
}

constexpr Field<Counters> kOomControlFields[] = {{"oom_kill_disable", &Counters::oom_kill_disable},
                                                 {"oom_kill", &Counters::oom_kill}};

}  // namespace

Result<StatFile> parse_stat(std::string_view text, std::string_view where) {
  StatFile local;
  StatFile total;
  Lines lines(text);
  std::size_t hint = 0;
  while (const auto line = lines.next()) {
    std::string_view value = *line;
    std::string_view key = cut(value, ' ');
    const bool is_total = key.starts_with(kTotal);
    if (is_total) key.remove_prefix(kTotal.size());
    Bytes* const out = find(is_total ? total : local, key, hint);
    if (out == nullptr) continue;
    *out = to_number(value);
    if (!*out) return fail_line(where, lines.number(), *line, "has no number");
  }
  for (const Field<Stat>& field : kStatFields) {
    if (!(total.stat.*field.member)) total.stat.*field.member = local.stat.*field.member;
  }
  if (!total.swap) total.swap = local.swap;
  if (!total.hierarchical_limit) total.hierarchical_limit = local.hierarchical_limit;
  return total;
}

Result<Counters> parse_oom_control(std::string_view text, std::string_view where) {
  Counters counters;
  const auto parsed = parse_keyed<Counters>(text, where, kOomControlFields, counters);
  if (!parsed) return fail(parsed.error());
  return counters;
}

}  // namespace oomdrill::cgroup::v1
