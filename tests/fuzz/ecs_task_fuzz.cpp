// What the metadata endpoint may answer: the task's JSON, a NUL, the container's.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ecs/metadata.h"
#include "require.h"

namespace {

void check_container(const oomdrill::ecs::Container& container) {
  for (const auto& bytes : {container.memory_limit, container.memory_reservation}) {
    OOMDRILL_REQUIRE(!bytes || (*bytes > 0 && *bytes % (1U << 20U) == 0));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto split = text.find('\0');
  const std::string_view container =
      split == std::string_view::npos ? std::string_view() : text.substr(split + 1);
  const auto task = oomdrill::ecs::parse_task(text.substr(0, split), container);
  if (!task) {
    OOMDRILL_REQUIRE(!task.error().line().empty());
    return 0;
  }
  OOMDRILL_REQUIRE(task->arn.ends_with(task->id));
  OOMDRILL_REQUIRE(task->id.find('/') == std::string::npos);
  OOMDRILL_REQUIRE(task->cluster.find('/') == std::string::npos);
  OOMDRILL_REQUIRE(!task->memory_limit || *task->memory_limit % (1U << 20U) == 0);
  for (const auto& each : task->containers) check_container(each);
  if (task->self) check_container(*task->self);
  return 0;
}
