#include "ecs/stats.h"

#include <utility>

#include "ecs/metadata.h"
#include "json.h"

namespace oomdrill::ecs {
namespace {

/// Docker's have 64 characters, Fargate's about 43: a longer one is no id, and would fill lines.
constexpr std::size_t kLongestId = 128;

std::optional<std::uint64_t> count(const Json& value) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  if (!value.is_number_float()) return std::nullopt;
  const double number = value.get<double>();
  constexpr double kMost = 9.2e18;  // what an unsigned can hold of a double, and some
  if (!(number >= 0 && number <= kMost)) return std::nullopt;
  return static_cast<std::uint64_t>(number);
}

std::optional<std::uint64_t> count(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it == object.end() ? std::nullopt : count(*it);
}

bool is_counter_name(const std::string& name) {
  return !name.empty() &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
}

std::optional<int> version_of(const Json& stats) {
  const auto has = [&stats](const char* name) { return stats.contains(name); };
  if (has("cache") || has("rss") || has("total_inactive_file")) return 1;
  if (has("anon") || has("file") || has("inactive_file")) return 2;
  return std::nullopt;
}

std::optional<MemoryStats> parse_memory(const Json& container) {
  if (!container.is_object()) return std::nullopt;
  const Json memory = member(container, "memory_stats");
  const auto usage = count(memory, "usage");
  if (!usage) return std::nullopt;
  MemoryStats out;
  out.usage = *usage;
  out.max_usage = count(memory, "max_usage");
  out.limit = count(memory, "limit");
  out.failcnt = count(memory, "failcnt");
  const Json stats = member(memory, "stats");
  for (const auto& [name, value] : stats.items()) {
    const auto number = count(value);
    if (number && is_counter_name(name)) out.stat += name + ' ' + std::to_string(*number) + '\n';
  }
  out.cgroup_version = version_of(stats);
  return out;
}

}  // namespace

Result<std::vector<ContainerStats>> parse_stats(std::string_view json) {
  const auto answer = parse_object(json);
  if (!answer) return fail(answer.error());
  std::vector<ContainerStats> out;
  for (const auto& [id, container] : answer->items()) {
    if (!id.empty() && id.size() <= kLongestId) out.push_back({id, parse_memory(container)});
  }
  return out;
}

Result<std::vector<ContainerStats>> fetch_stats(const std::string& endpoint, Nanoseconds timeout) {
  const std::string url = endpoint + "/task/stats";
  const auto body = http_get(url, timeout);
  if (!body) return fail(body.error());
  auto stats = parse_stats(*body);
  if (!stats) return fail(std::move(stats.error()).within(url));
  return stats;
}

}  // namespace oomdrill::ecs
