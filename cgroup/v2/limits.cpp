#include "v2/limits.h"

#include "limit_file.h"
#include "v2/names.h"

namespace oomdrill::cgroup::v2 {

Result<std::vector<LimitCandidate>> collect_limits(const FileRoot& root, const Location& location) {
  std::vector<LimitCandidate> candidates;
  const auto add = [&](const std::string& directory, LimitSource source) {
    return add_limit_file(root, directory + "/" + std::string(kLimit), source, candidates);
  };
  if (auto r = add(location.directory, LimitSource::own); !r) return fail(std::move(r.error()));
  for (const std::string& ancestor : location.ancestors) {
    if (auto r = add(ancestor, LimitSource::ancestor); !r) return fail(std::move(r.error()));
  }
  return candidates;
}

}  // namespace oomdrill::cgroup::v2
