// What the metadata endpoint may answer to /task/stats.
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ecs/stats.h"
#include "require.h"

namespace {

/// Each line a name, a space, a number: what memory.stat's parser takes.
void check_stat(std::string_view text) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    OOMDRILL_REQUIRE(end != std::string_view::npos);
    const std::string_view line = text.substr(0, end);
    const auto space = line.find(' ');
    OOMDRILL_REQUIRE(space != std::string_view::npos && space > 0);
    std::uint64_t value = 0;
    const char* last = line.data() + line.size();
    const auto [rest, status] = std::from_chars(line.data() + space + 1, last, value);
    OOMDRILL_REQUIRE(status == std::errc{} && rest == last);
    text.remove_prefix(end + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto stats = oomdrill::ecs::parse_stats(text);
  if (!stats) {
    OOMDRILL_REQUIRE(!stats.error().line().empty());
    return 0;
  }
  for (std::size_t i = 0; i < stats->size(); ++i) {
    const auto& each = (*stats)[i];
    OOMDRILL_REQUIRE(!each.docker_id.empty() && each.docker_id.size() <= 128);
    OOMDRILL_REQUIRE(i == 0 || (*stats)[i - 1].docker_id < each.docker_id);
    if (!each.memory) continue;
    const auto version = each.memory->cgroup_version;
    OOMDRILL_REQUIRE(!version || *version == 1 || *version == 2);
    check_stat(each.memory->stat);
  }
  return 0;
}
