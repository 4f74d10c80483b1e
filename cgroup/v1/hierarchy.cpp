#include "v1/hierarchy.h"

#include <algorithm>
#include <iterator>

#include "held_file.h"
#include "text.h"
#include "v1/names.h"

namespace oomdrill::cgroup::v1 {

bool holds_memory(const Mount& mount) {
  return mount.is_v1() && list_has(mount.super_options, kController);
}

bool is_memory_cgroup(const FileRoot& root, const std::string& directory) {
  return exists(root / directory + "/" + std::string(kUsage));
}

bool is_machine_root(const FileRoot& root, const std::string& directory) {
  return std::any_of(std::begin(kOnlyInRoot), std::end(kOnlyInRoot), [&](std::string_view file) {
    return exists(root / directory + "/" + std::string(file));
  });
}

}  // namespace oomdrill::cgroup::v1
