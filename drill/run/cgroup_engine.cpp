#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <optional>
#include <system_error>

#include "base/clock.h"
#include "base/file.h"
#include "cgroup/location.h"
#include "run/cgroup_watch.h"
#include "run/engine.h"

namespace oomdrill::run {
namespace {

constexpr const char* kRemedy = "run as root, or take --engine systemd or docker";

bool has_word(std::string_view text, std::string_view word) {
  while (!text.empty()) {
    const auto end = text.find_first_of(" \n");
    if (text.substr(0, end) == word) return true;
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return false;
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

/// v2: whether children of `directory` have the memory controller, turned on where it may be. It
/// stays on afterwards: another program may have come to rely on it.
Result<void> delegate_memory(const std::string& directory) {
  const auto available = read_file(directory + "/cgroup.controllers");
  if (!available) return fail(available.error());
  if (!has_word(*available, "memory")) return fail("has no memory controller", directory);
  const auto enabled = read_file(directory + "/cgroup.subtree_control");
  if (!enabled) return fail(enabled.error());
  if (has_word(*enabled, "memory")) return {};
  auto written = write_file(directory + "/cgroup.subtree_control", "+memory");
  if (!written && written.error().errnum == EBUSY) {
    return fail("holds processes, so its children cannot have the memory controller", directory);
  }
  return written;
}

/// Where a limited cgroup can be made, the nearest first, so that the limits above us hold for it.
Result<std::string> find_parent(const cgroup::Location& location) {
  if (location.version == cgroup::Version::v1) return location.directory;
  std::vector<std::string> candidates = {location.directory};
  candidates.insert(candidates.end(), location.ancestors.begin(), location.ancestors.end());
  Error first;
  for (const std::string& candidate : candidates) {
    auto delegated = delegate_memory(candidate);
    if (delegated) return candidate;
    if (first.what.empty()) first = delegated.error();
  }
  return fail(std::move(first));
}

/// Depth first, `directory` itself last.
std::vector<std::string> tree_of(const std::string& directory) {
  std::vector<std::string> found;
  std::error_code error;
  for (auto it = std::filesystem::directory_iterator(directory, error);
       !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    std::error_code ignored;
    if (!it->is_directory(ignored)) continue;
    for (std::string& below : tree_of(it->path().string())) found.push_back(std::move(below));
  }
  found.push_back(directory);
  return found;
}

/// The name that a drill gives its cgroup: oomdrill-<UTC time>-<process id>.
bool is_of_a_drill(std::string_view name) {
  constexpr std::string_view kBegin = "oomdrill-";
  constexpr std::size_t kDate = 8;
  if (!name.starts_with(kBegin)) return false;
  name.remove_prefix(kBegin.size());
  return name.find_first_not_of("0123456789") == kDate && name[kDate] == 'T';
}

/// A lock on the directory that its owner holds while it lives: a process id would say nothing
/// where several pid namespaces share the hierarchy. nullopt: another has it, or it is gone.
std::optional<Fd> lock(const std::string& directory) {
  auto opened = open_file(directory, O_RDONLY | O_DIRECTORY);
  if (!opened || ::flock(opened->get(), LOCK_EX | LOCK_NB) != 0) return std::nullopt;
  // It may have been removed, or removed and made anew, before the lock was there.
  struct stat held {};
  struct stat named {};
  if (::fstat(opened->get(), &held) != 0 || ::stat(directory.c_str(), &named) != 0 ||
      held.st_ino != named.st_ino) {
    return std::nullopt;
  }
  return std::move(*opened);
}

/// Removes what an oomdrill that was SIGKILLed could not: cgroups of drills without an owner, and
/// without a process. What cannot be removed is left: it is not this drill's.
void sweep(const std::string& parent) {
  std::error_code error;
  std::vector<std::string> drills;
  for (auto it = std::filesystem::directory_iterator(parent, error);
       !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    if (is_of_a_drill(it->path().filename().string())) drills.push_back(it->path().string());
  }
  for (const std::string& drill : drills) {
    const auto owned = lock(drill);
    if (!owned) continue;
    const auto tree = tree_of(drill);
    const bool empty = std::all_of(tree.begin(), tree.end(), [](const std::string& directory) {
      const auto processes = read_file(directory + "/cgroup.procs");
      return processes && processes->empty();
    });
    if (!empty) continue;
    for (const std::string& directory : tree) ::rmdir(directory.c_str());
  }
}

/// Makes it and locks it.
Result<Fd> make_own(const std::string& directory) {
  constexpr int kAttempts = 100;
  SystemClock clock;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (::mkdir(directory.c_str(), 0755) != 0 && (attempt == 0 || errno != EEXIST)) {
      return fail_errno("cannot make a cgroup", directory, kRemedy);
    }
    if (auto owned = lock(directory)) return std::move(*owned);
    // Another oomdrill's sweep was quicker.
    clock.sleep_until(clock.now() + std::chrono::milliseconds(10));
  }
  return fail("is locked by another process", directory);
}

class CgroupRoom final : public Room {
 public:
  CgroupRoom(std::string directory, Fd owned, cgroup::Version version)
      : directory_(std::move(directory)), owned_(std::move(owned)), version_(version) {}

  Result<void> prepare(std::uint64_t memory_bytes) {
    const std::string bytes = std::to_string(memory_bytes);
    if (version_ == cgroup::Version::v1) {
      if (auto set = write_file(directory_ + "/memory.limit_in_bytes", bytes); !set) return set;
      // Swap would let the leak outgrow the limit. Without swap accounting there is no memsw file;
      // swappiness 0 then keeps anonymous memory off the swap.
      const std::string memsw = directory_ + "/memory.memsw.limit_in_bytes";
      auto set = exists(memsw) ? write_file(memsw, bytes)
                               : write_file(directory_ + "/memory.swappiness", "0");
      if (!set) return set;
      // Inherited: with the killer off, the leak would hang at its limit.
      if (auto on = write_file(directory_ + "/memory.oom_control", "0"); !on) return on;
    } else {
      if (auto set = write_file(directory_ + "/memory.max", bytes); !set) return set;
      const std::string swap = directory_ + "/memory.swap.max";
      if (exists(swap)) {
        if (auto set = write_file(swap, "0"); !set) return set;
      }
    }
    auto procs = open_file(directory_ + "/cgroup.procs", O_WRONLY);
    if (!procs) return fail(procs.error());
    procs_ = std::move(*procs);

    auto location = cgroup::locate_directory(FileRoot(), directory_);
    if (!location) return fail(location.error());
    auto watch = CgroupWatch::open(*location);
    if (!watch) return fail(watch.error());
    watch_ = std::make_unique<CgroupWatch>(std::move(*watch));
    return {};
  }

  [[nodiscard]] int enter() const override {
    return ::write(procs_.get(), "0", 1) == 1 ? 0 : errno;
  }

  Result<Observation> observe() override { return watch_->observe(); }
  [[nodiscard]] int events_fd() const override { return watch_->events_fd(); }

  void kill_all() override {
    for (const std::string& directory : tree_of(directory_)) {
      if (write_file(directory + "/cgroup.kill", "1")) continue;  // v2, kernel 5.14
      const auto text = read_file(directory + "/cgroup.procs");
      if (!text) continue;
      std::string_view rest = *text;
      while (!rest.empty()) {
        const auto newline = rest.find('\n');
        pid_t pid = 0;
        std::from_chars(rest.data(), rest.data() + std::min(newline, rest.size()), pid);
        if (pid > 0) ::kill(pid, SIGKILL);
        if (newline == std::string_view::npos) break;
        rest.remove_prefix(newline + 1);
      }
    }
  }

  Result<void> remove() override {
    SystemClock clock;
    const Nanoseconds deadline = clock.now() + std::chrono::seconds(10);
    // A killed process leaves its cgroup only when it has ended: EBUSY until then.
    for (;;) {
      kill_all();
      int failed = 0;
      for (const std::string& directory : tree_of(directory_)) {
        if (::rmdir(directory.c_str()) != 0 && errno != ENOENT) failed = errno;
      }
      if (failed == 0) return {};
      if (clock.now() > deadline) {
        errno = failed;
        return fail_errno("cannot remove", directory_, "remove it with: " + removal());
      }
      clock.sleep_until(clock.now() + std::chrono::milliseconds(20));
    }
  }

  [[nodiscard]] std::string where() const override { return directory_; }
  [[nodiscard]] std::string removal() const override { return "rmdir " + directory_; }

 private:
  std::string directory_;
  Fd owned_;  ///< the lock
  cgroup::Version version_;
  Fd procs_;
  std::unique_ptr<CgroupWatch> watch_;
};

}  // namespace

Result<std::unique_ptr<Room>> make_cgroup_room(const Wish& wish) {
  const auto location = cgroup::locate(FileRoot());
  if (!location) return fail(location.error());
  if (location->read_only) return fail("is mounted read-only", location->mount, kRemedy);
  auto parent = find_parent(*location);
  if (!parent) {
    if (parent.error().remedy.empty()) parent.error().remedy = kRemedy;
    return fail(std::move(parent.error()));
  }
  sweep(*parent);
  const std::string directory = *parent + "/" + wish.name;
  auto owned = make_own(directory);
  if (!owned) return fail(std::move(owned.error()));
  auto room = std::make_unique<CgroupRoom>(directory, std::move(*owned), location->version);
  if (auto prepared = room->prepare(wish.memory_bytes); !prepared) {
    ::rmdir(directory.c_str());
    return fail(std::move(prepared.error()));
  }
  return room;
}

}  // namespace oomdrill::run
