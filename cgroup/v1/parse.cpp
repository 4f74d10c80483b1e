#include "v1/parse.h"

#include "text.h"

namespace oomdrill::cgroup::v1 {
namespace {

constexpr Field<Stat> kStatFields[] = {
    {"rss", &Stat::anon},
    {"cache", &Stat::file},
    {"shmem", &Stat::shmem},
    {"inactive_file", &Stat::inactive_file},
    {"active_file", &Stat::active_file},
    {"inactive_anon", &Stat::inactive_anon},
    {"active_anon", &Stat::active_anon},
    {"unevictable", &Stat::unevictable},
    {"mapped_file", &Stat::file_mapped},
    {"dirty", &Stat::file_dirty},
    {"rss_huge", &Stat::anon_thp},
    {"pgfault", &Stat::pgfault},
    {"pgmajfault", &Stat::pgmajfault},
    {"workingset_refault_file", &Stat::workingset_refault_file},
    // Before 5.9, which counted refaults of files only.
    {"workingset_refault", &Stat::workingset_refault_file},
};

constexpr std::string_view kTotal = "total_";

Bytes* find(StatFile& file, std::string_view key) {
  if (key == "swap") return &file.swap;
  if (key == "hierarchical_memory_limit") return &file.hierarchical_limit;
  for (const Field<Stat>& field : kStatFields) {
    if (field.key == key) return &(file.stat.*field.member);
  }
  return nullptr;
}

constexpr Field<Counters> kOomControlFields[] = {{"oom_kill", &Counters::oom_kill}};

}  // namespace

Result<StatFile> parse_stat(std::string_view text, std::string_view where) {
  StatFile local;
  StatFile total;
  Lines lines(text);
  while (const auto line = lines.next()) {
    std::string_view value = *line;
    std::string_view key = cut(value, ' ');
    const bool is_total = key.starts_with(kTotal);
    if (is_total) key.remove_prefix(kTotal.size());
    Bytes* const out = find(is_total ? total : local, key);
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
