#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace oomdrill::cgroup {

/// One line of /proc/<pid>/mountinfo (proc(5)), as far as cgroups need it.
struct Mount {
  std::string root;           ///< field 4: what of the file system is mounted here
  std::string point;          ///< field 5
  std::string options;        ///< field 6, of this mount: "ro,nosuid"
  std::string type;           ///< "cgroup", "cgroup2"
  std::string super_options;  ///< of the file system; v1 has its controllers here

  [[nodiscard]] bool is_v1() const { return type == "cgroup"; }
  [[nodiscard]] bool is_v2() const { return type == "cgroup2"; }
  [[nodiscard]] bool read_only() const;
};

/// The cgroup mounts, v1 and v2, that are not hidden under a later one at the same place.
Result<std::vector<Mount>> parse_mountinfo(std::string_view text, std::string_view where);

}  // namespace oomdrill::cgroup
