#include "v1/limits.h"

#include "held_file.h"
#include "limit_file.h"
#include "v1/names.h"
#include "v1/parse.h"

namespace oomdrill::cgroup::v1 {
namespace {

std::string in(const std::string& directory, std::string_view file) {
  return directory + "/" + std::string(file);
}

/// Before 5.11 a cgroup could be told not to account to, nor be limited by, its ancestors: a
/// child is charged to a parent whose use_hierarchy is 1.
Result<bool> binds_children(const FileRoot& root, const std::string& directory) {
  const auto text = read_optional_file(root / in(directory, kUseHierarchy));
  if (!text) return fail(text.error());
  return !*text || **text != "0\n";
}

}  // namespace

Result<std::vector<LimitCandidate>> collect_limits(const FileRoot& root, const Location& location) {
  std::vector<LimitCandidate> candidates;
  if (auto r = add_limit_file(root, in(location.directory, kLimit), LimitSource::own, candidates);
      !r) {
    return fail(std::move(r.error()));
  }
  for (const std::string& ancestor : location.ancestors) {
    const auto binds = binds_children(root, ancestor);
    if (!binds) return fail(binds.error());
    if (!*binds) break;
    if (auto r = add_limit_file(root, in(ancestor, kLimit), LimitSource::ancestor, candidates);
        !r) {
      return fail(std::move(r.error()));
    }
  }
  const std::string stat_path = in(location.directory, kStat);
  const auto stat = read_optional_file(root / stat_path);
  if (!stat) return fail(stat.error());
  if (*stat) {
    const auto parsed = parse_stat(**stat, root / stat_path);
    if (!parsed) return fail(parsed.error());
    if (const auto bytes = parsed->hierarchical_limit) {
      candidates.push_back({LimitSource::hierarchical, finite_limit(*bytes), stat_path});
    }
  }
  return candidates;
}

}  // namespace oomdrill::cgroup::v1
