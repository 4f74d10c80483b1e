#include "cgroup/limit.h"

#include <algorithm>
#include <limits>

#include "held_file.h"
#include "limit_file.h"
#include "text.h"
#include "v1/limits.h"
#include "v2/limits.h"

namespace oomdrill::cgroup {
namespace {

constexpr std::string_view kMemInfo = "/proc/meminfo";

bool is_ecs(LimitSource source) {
  return source == LimitSource::ecs_container || source == LimitSource::ecs_task;
}

}  // namespace

std::string_view name(LimitSource source) {
  switch (source) {
    case LimitSource::own:
      return "own";
    case LimitSource::ancestor:
      return "ancestor";
    case LimitSource::hierarchical:
      return "hierarchical";
    case LimitSource::ecs_container:
      return "ecs_container";
    case LimitSource::ecs_task:
      return "ecs_task";
    case LimitSource::host:
      return "host";
    case LimitSource::unknown:
      break;
  }
  return "unknown";
}

std::optional<std::uint64_t> finite_limit(std::uint64_t bytes) {
  // INT64_MAX rounded down to a page, of whatever size up to the huge ones of 1 GiB; runtimes that
  // imitate the kernel write INT64_MAX or UINT64_MAX.
  constexpr std::uint64_t kUnlimited =
      std::uint64_t{std::numeric_limits<std::int64_t>::max()} - ((std::uint64_t{1} << 30) - 1);
  if (bytes >= kUnlimited) return std::nullopt;
  return bytes;
}

Result<std::optional<std::uint64_t>> parse_limit(std::string_view text, std::string_view where) {
  if (text == "max\n" || text == "max") return std::nullopt;
  const auto bytes = parse_number(text, where);
  if (!bytes) return fail_line(where, 1, text, "is neither a number of bytes nor 'max'");
  return finite_limit(*bytes);
}

Result<std::uint64_t> parse_mem_total(std::string_view meminfo, std::string_view where) {
  Lines lines(meminfo);
  while (const auto line = lines.next()) {
    // "MemTotal:       24683620 kB"
    std::string_view rest = *line;
    if (cut(rest, ':') != "MemTotal") continue;
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    const auto kib = to_number(cut(rest, ' '));
    if (!kib || rest != "kB" || *kib > std::numeric_limits<std::uint64_t>::max() / 1024) {
      return fail_line(where, lines.number(), *line, "is no number of kB");
    }
    return *kib * 1024;
  }
  return fail("has no MemTotal", std::string(where));
}

Result<void> add_limit_file(const FileRoot& root, const std::string& path, LimitSource source,
                            std::vector<LimitCandidate>& candidates) {
  const std::string opened = root / path;
  const auto text = read_optional_file(opened);
  if (!text) return fail(text.error());
  if (!*text) return {};
  const auto bytes = parse_limit(**text, opened);
  if (!bytes) return fail(bytes.error());
  candidates.push_back({source, *bytes, path});
  return {};
}

Result<std::vector<LimitCandidate>> collect_limits(const FileRoot& root, const Location& location) {
  auto candidates = location.version == Version::v1 ? v1::collect_limits(root, location)
                                                    : v2::collect_limits(root, location);
  if (!candidates) return candidates;
  const auto meminfo = read_optional_file(root / kMemInfo);
  if (!meminfo) return fail(meminfo.error());
  if (*meminfo) {
    const auto total = parse_mem_total(**meminfo, root / kMemInfo);
    if (!total) return fail(total.error());
    candidates->push_back({LimitSource::host, *total, std::string(kMemInfo)});
  }
  return candidates;
}

EffectiveLimit resolve_limit(std::vector<LimitCandidate> candidates, bool ancestors_hidden) {
  // The sources are declared from the nearest to the farthest; ancestors come nearest first.
  std::stable_sort(
      candidates.begin(), candidates.end(),
      [](const LimitCandidate& a, const LimitCandidate& b) { return a.source < b.source; });
  EffectiveLimit limit;
  bool covers_hidden = false;
  for (const LimitCandidate& candidate : candidates) {
    covers_hidden |= candidate.source == LimitSource::hierarchical || is_ecs(candidate.source);
    if (!candidate.bytes || (limit.bytes && *limit.bytes <= *candidate.bytes)) continue;
    limit.bytes = candidate.bytes;
    limit.source = candidate.source;
    limit.where = candidate.where;
  }
  limit.complete = !ancestors_hidden || covers_hidden;
  limit.considered = std::move(candidates);
  return limit;
}

}  // namespace oomdrill::cgroup
