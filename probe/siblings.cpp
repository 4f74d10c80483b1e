#include "siblings.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <map>

#include "cgroup/location.h"
#include "setup.h"

namespace oomdrill::probe {
namespace {

/// runc's init has the mount namespace of its container before it has the container's files.
bool is_being_made(const FileRoot& root, const std::string& process) {
  const auto name = read_file(root / ("/proc/" + process + "/comm"));
  return name && name->starts_with("runc:[");
}

}  // namespace

Neighbours find_neighbours(const FileRoot& root) {
  std::map<std::string, pid_t> first;
  Neighbours out;
  const std::string own = mounts_of(root, "self");
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator(root / "/proc", gone)) {
    const std::string process = entry.path().filename().string();
    pid_t pid = 0;
    const auto [end, status] =
        std::from_chars(process.data(), process.data() + process.size(), pid);
    if (status != std::errc{} || end != process.data() + process.size()) continue;
    const std::string mounts = mounts_of(root, process);
    if (mounts == own || is_being_made(root, process)) continue;
    if (mounts.empty()) {
      // A zombie has none; it hides nobody.
      if (::access((root / ("/proc/" + process + "/root/")).c_str(), F_OK) != 0 &&
          errno == EACCES) {
        ++out.hidden;
      }
      continue;
    }
    const auto [known, added] = first.emplace(mounts, pid);
    if (!added) known->second = std::min(known->second, pid);
  }
  for (const auto& [mounts, pid] : first) {
    out.containers.push_back(
        {mounts, pid, cgroup::container_id(root, std::to_string(pid)).value_or(std::string())});
  }
  std::sort(out.containers.begin(), out.containers.end(),
            [](const Neighbour& a, const Neighbour& b) { return a.main < b.main; });
  return out;
}

ecs::Task as_seen_by(const std::optional<ecs::Task>& task, const std::string& container_id) {
  ecs::Task out = task.value_or(ecs::Task{});
  out.self.reset();
  if (container_id.empty()) return out;
  for (const ecs::Container& container : out.containers) {
    if (container.docker_id == container_id) out.self = container;
  }
  if (!out.self) {
    out.self.emplace();
    out.self->docker_id = container_id;
  }
  return out;
}

}  // namespace oomdrill::probe
