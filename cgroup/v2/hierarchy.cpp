#include "v2/hierarchy.h"

#include <algorithm>
#include <iterator>

#include "held_file.h"
#include "text.h"
#include "v2/names.h"

namespace oomdrill::cgroup::v2 {

bool is_memory_cgroup(const FileRoot& root, const std::string& directory) {
  return exists(root / directory + "/" + std::string(kUsage));
}

bool is_cgroup(const FileRoot& root, const std::string& directory) {
  return exists(root / directory + "/" + std::string(kControllers)) ||
         is_memory_cgroup(root, directory);
}

bool is_machine_root(const FileRoot& root, const std::string& directory) {
  return std::none_of(std::begin(kNeverInRoot), std::end(kNeverInRoot), [&](std::string_view file) {
    return exists(root / directory + "/" + std::string(file));
  });
}

Result<bool> offers_memory(const FileRoot& root, const std::string& directory) {
  const auto text = read_optional_file(root / directory + "/" + std::string(kControllers));
  if (!text) return fail(text.error());
  if (!*text) return false;
  std::string_view rest = **text;
  std::string_view line = cut(rest, '\n');
  while (!line.empty()) {
    if (cut(line, ' ') == kController) return true;
  }
  return false;
}

}  // namespace oomdrill::cgroup::v2
