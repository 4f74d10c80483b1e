// Every parser of kernel text in cgroup/: the first byte selects it, the rest is its file.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "cgroup/limit.h"
#include "mountinfo.h"
#include "pressure.h"
#include "proc_cgroup.h"
#include "require.h"
#include "text.h"
#include "v1/parse.h"
#include "v2/parse.h"

namespace {

using namespace oomdrill;

/// An answer, or one short printable line that names the file.
template <class T>
Result<T> checked(Result<T> result) {
  if (!result) {
    const std::string line = result.error().line();
    OOMDRILL_REQUIRE(line.starts_with("/f:"));
    OOMDRILL_REQUIRE(line.size() < 200);
    for (const char c : line) OOMDRILL_REQUIRE(c >= ' ' && c <= '~');
  }
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace oomdrill::cgroup;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (*data) {
    case 'n':
      checked(parse_number(text, "/f"));
      break;
    case 'l':
      if (const auto limit = checked(parse_limit(text, "/f")); limit && *limit) {
        OOMDRILL_REQUIRE(**limit <= INT64_MAX);
      }
      break;
    case 't':
      checked(parse_mem_total(text, "/f"));
      break;
    case 'm':
      if (const auto mounts = checked(parse_mountinfo(text, "/f"))) {
        for (const Mount& mount : *mounts) {
          OOMDRILL_REQUIRE(mount.is_v1() || mount.is_v2());
          OOMDRILL_REQUIRE(mount.root.starts_with('/') && mount.point.starts_with('/'));
        }
      }
      break;
    case 'c':
      if (const auto memberships = checked(parse_proc_cgroup(text, "/f"))) {
        for (const Membership& membership : *memberships) {
          OOMDRILL_REQUIRE(membership.path.starts_with('/'));
          const auto container = container_id_of(membership.path);
          OOMDRILL_REQUIRE(!container || container->size() > 32);
          const auto task = ecs_task_id_of(membership.path);
          OOMDRILL_REQUIRE(!task || task->size() == 32 || task->size() == 36);
        }
      }
      break;
    case 'p':
      if (const auto pressure = checked(parse_pressure(text, "/f"))) {
        OOMDRILL_REQUIRE(pressure->some.avg10 >= 0 && pressure->full.avg300 >= 0);
      }
      break;
    case '1':
      checked(v1::parse_stat(text, "/f"));
      break;
    case 'o':
      checked(v1::parse_oom_control(text, "/f"));
      break;
    case '2':
      checked(v2::parse_stat(text, "/f"));
      break;
    case 'e':
      checked(v2::parse_events(text, "/f"));
      break;
    default:
      break;
  }
  return 0;
}
