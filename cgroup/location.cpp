#include "cgroup/location.h"

#include <fcntl.h>

#include <algorithm>
#include <filesystem>

#include "held_file.h"
#include "mountinfo.h"
#include "proc_cgroup.h"
#include "text.h"
#include "v1/hierarchy.h"
#include "v1/names.h"
#include "v2/hierarchy.h"

namespace oomdrill::cgroup {
namespace {

constexpr std::string_view kMountInfo = "/proc/self/mountinfo";

struct Place {
  Mount mount;
  std::string directory;
};

bool leads_out(std::string_view path) {
  while (!path.empty()) {
    if (cut(path, '/') == "..") return true;
  }
  return false;
}

std::string join(const std::string& base, std::string_view below) {
  if (below.empty() || below == "/") return base;
  return base == "/" ? std::string(below) : base + std::string(below);
}

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

/// `path` as seen from `base`: "" or "/…"; nullopt where it does not lie there.
std::optional<std::string_view> below(std::string_view base, std::string_view path) {
  std::string_view rest = path;
  if (base != "/") {
    if (!path.starts_with(base)) return std::nullopt;
    rest.remove_prefix(base.size());
    if (!rest.empty() && rest.front() != '/') return std::nullopt;
  }
  if (leads_out(rest)) return std::nullopt;
  return rest == "/" ? "" : rest;
}

bool is_cgroup(const FileRoot& root, Version version, const std::string& directory) {
  return version == Version::v1 ? v1::is_memory_cgroup(root, directory)
                                : v2::is_cgroup(root, directory);
}

bool is_machine_root(const FileRoot& root, Version version, const std::string& directory) {
  return version == Version::v1 ? v1::is_machine_root(root, directory)
                                : v2::is_machine_root(root, directory);
}

std::vector<Mount> mounts_of(const std::vector<Mount>& mounts, Version version) {
  std::vector<Mount> out;
  std::copy_if(mounts.begin(), mounts.end(), std::back_inserter(out), [&](const Mount& mount) {
    return version == Version::v1 ? v1::holds_memory(mount) : mount.is_v2();
  });
  return out;
}

/// The folder under `mounts` that is the cgroup `path`. Where several show it, the one with most
/// of its ancestors.
std::optional<Place> find_place(const FileRoot& root, Version version, std::vector<Mount> mounts,
                                const std::string& path) {
  std::stable_sort(mounts.begin(), mounts.end(),
                   [](const Mount& a, const Mount& b) { return a.root.size() < b.root.size(); });
  for (const Mount& mount : mounts) {
    const auto rest = below(mount.root, path);
    if (!rest) continue;
    std::string directory = join(mount.point, *rest);
    if (is_cgroup(root, version, directory)) return Place{mount, std::move(directory)};
  }
  // A path of the host beside a mount that is rooted at the cgroup itself, and does not say so.
  // Never out of a namespace, nor at the machine's root: that would be somebody else's cgroup.
  if (leads_out(path)) return std::nullopt;
  for (const Mount& mount : mounts) {
    if (leads_out(mount.root)) continue;
    std::string directory = join(mount.point, path);
    if (is_cgroup(root, version, directory)) return Place{mount, std::move(directory)};
    if (is_cgroup(root, version, mount.point) && !is_machine_root(root, version, mount.point)) {
      return Place{mount, mount.point};
    }
  }
  return std::nullopt;
}

/// Moves `place` up to the cgroup that memory is charged to; to the mount point if that is the root
/// cgroup.
Result<void> settle_v2(const FileRoot& root, Place& place) {
  const std::string asked = place.directory;
  while (!v2::is_memory_cgroup(root, place.directory)) {
    if (place.directory != place.mount.point) {
      place.directory = parent_of(place.directory);
      continue;
    }
    if (!v2::is_machine_root(root, place.directory)) {
      return fail("the memory controller is not enabled for this cgroup", asked,
                  "add memory to its parent's cgroup.subtree_control (rootless engines: "
                  "Delegate=memory)");
    }
    const auto offered = v2::offers_memory(root, place.directory);
    if (!offered) return fail(offered.error());
    if (!*offered) {
      return fail("this kernel has no memory controller", place.directory,
                  "boot it with cgroup_enable=memory");
    }
    break;
  }
  return {};
}

Location describe(const FileRoot& root, Version version, const std::vector<Mount>& mounts,
                  const Place& place, std::string kernel_path) {
  Location location;
  location.version = version;
  if (version == Version::v1) {
    const bool beside =
        std::any_of(mounts.begin(), mounts.end(), [](const Mount& mount) { return mount.is_v2(); });
    location.layout = beside ? Layout::hybrid : Layout::v1;
  }
  location.mount = place.mount.point;
  location.directory = place.directory;
  for (std::string up = place.directory; up != place.mount.point;) {
    up = parent_of(up);
    location.ancestors.push_back(up);
  }
  location.ancestors_hidden = !is_machine_root(root, version, place.mount.point);
  location.is_root = place.directory == place.mount.point && !location.ancestors_hidden;
  location.read_only = place.mount.read_only();
  location.container_id = container_id_of(kernel_path);
  location.ecs_task_id = ecs_task_id_of(kernel_path);
  location.kernel_path = std::move(kernel_path);
  return location;
}

}  // namespace

std::string_view name(Version version) { return version == Version::v1 ? "v1" : "v2"; }

std::string_view name(Layout layout) {
  switch (layout) {
    case Layout::v1:
      return "v1";
    case Layout::v2:
      return "v2";
    case Layout::hybrid:
      break;
  }
  return "hybrid";
}

Result<Location> locate(const FileRoot& root, std::string_view process) {
  if (process != "self" && !to_number(process)) {
    return fail("'" + std::string(process) + "' is neither a process id nor 'self'");
  }
  const std::string where = root / ("/proc/" + std::string(process) + "/cgroup");
  const auto text = read_file(where);
  if (!text) return fail(text.error());
  const auto memberships = parse_proc_cgroup(*text, where);
  if (!memberships) return fail(memberships.error());
  // Our own mounts, whose process it may be: cgroups are the same through every mount.
  const auto mountinfo = read_file(root / kMountInfo);
  if (!mountinfo) return fail(mountinfo.error());
  const auto mounts = parse_mountinfo(*mountinfo, root / kMountInfo);
  if (!mounts) return fail(mounts.error());

  // A controller is on one hierarchy only: where v1 lists memory, v2 does not have it.
  Version version = Version::v1;
  auto membership = std::find_if(
      memberships->begin(), memberships->end(),
      [](const Membership& each) { return list_has(each.controllers, v1::kController); });
  if (membership == memberships->end()) {
    version = Version::v2;
    membership = std::find_if(memberships->begin(), memberships->end(),
                              [](const Membership& each) { return each.unified; });
  }
  if (membership == memberships->end()) {
    return fail("lists no cgroup that could hold memory", where,
                "use a kernel with the memory controller");
  }

  auto place = find_place(root, version, mounts_of(*mounts, version), membership->path);
  if (!place) {
    return fail(fmt::format("the memory cgroup '{}' is on {}, and no mount shows it",
                            membership->path, version == Version::v1 ? "cgroup v1" : "cgroup v2"),
                where,
                version == Version::v1 ? "mount the memory hierarchy at /sys/fs/cgroup/memory"
                                       : "mount cgroup2 at /sys/fs/cgroup");
  }
  if (version == Version::v2) {
    if (auto settled = settle_v2(root, *place); !settled) return fail(std::move(settled.error()));
  }
  return describe(root, version, *mounts, *place, membership->path);
}

Result<Location> locate_directory(const FileRoot& root, const std::string& directory) {
  if (!directory.starts_with('/')) {
    return fail("is no absolute path", directory, "name a folder below /sys/fs/cgroup");
  }
  std::string path = std::filesystem::path(directory).lexically_normal().string();
  if (path.size() > 1 && path.ends_with('/')) path.pop_back();

  const auto folder = open_file(root / path, O_RDONLY | O_DIRECTORY);
  if (!folder) return fail(folder.error());
  const Version version = v1::is_memory_cgroup(root, path) ? Version::v1 : Version::v2;
  if (!is_cgroup(root, version, path)) {
    return fail("is no memory cgroup", path,
                "name a folder that has memory.current or memory.usage_in_bytes");
  }

  // Not every tree that a user names is in our own mount table.
  std::vector<Mount> mounts;
  if (const auto text = read_file(root / kMountInfo)) {
    auto parsed = parse_mountinfo(*text, root / kMountInfo);
    if (!parsed) return fail(std::move(parsed.error()));
    mounts = std::move(*parsed);
  }
  Place place;
  for (const Mount& mount : mounts_of(mounts, version)) {
    if (below(mount.point, path) && mount.point.size() > place.mount.point.size()) {
      place.mount = mount;
    }
  }
  if (place.mount.point.empty()) {
    place.mount = {.root = "/", .point = path, .options = "", .type = "", .super_options = ""};
    for (std::string up = parent_of(path); !up.empty() && is_cgroup(root, version, up);
         up = parent_of(up)) {
      place.mount.point = up;
    }
  }
  std::string kernel_path =
      join(place.mount.root, below(place.mount.point, path).value_or(std::string_view()));
  place.directory = path;
  if (version == Version::v2) {
    if (auto settled = settle_v2(root, place); !settled) return fail(std::move(settled.error()));
    // Not the ancestor that would be charged: its name is not the one that was asked for.
    if (place.directory != path) {
      return fail("the memory controller is not enabled for this cgroup", path,
                  "add memory to its parent's cgroup.subtree_control");
    }
  }
  return describe(root, version, mounts, place, std::move(kernel_path));
}

std::optional<std::string> container_id(const FileRoot& root, std::string_view process) {
  const std::string where = root / ("/proc/" + std::string(process) + "/cgroup");
  const auto text = read_file(where);
  if (!text) return std::nullopt;
  const auto memberships = parse_proc_cgroup(*text, where);
  if (!memberships) return std::nullopt;
  for (const Membership& membership : *memberships) {
    if (auto id = container_id_of(membership.path)) return id;
  }
  return std::nullopt;
}

}  // namespace oomdrill::cgroup
