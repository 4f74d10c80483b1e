#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

/// Ways to give a workload a limited memory cgroup.
namespace oomdrill::run {

/// The limited cgroup as seen from outside of it. Absent is absent.
struct Observation {
  std::optional<std::uint64_t> used_bytes = {};
  std::optional<std::uint64_t> peak_bytes = {};
  std::optional<std::uint64_t> limit_bytes = {};
  std::optional<std::uint64_t> oom_kill = {};
  std::optional<std::uint64_t> oom_group_kill = {};
  /// A container engine's own word, where there is one.
  std::optional<bool> engine_oom_killed = {};
  std::optional<int> engine_exit_code = {};
};

/// What a drill needs of an engine.
struct Wish {
  std::uint64_t memory_bytes = 0;
  std::string name;   ///< of the cgroup, unit or container; unique
  std::string image;  ///< docker's
};

/// One limited place, until it is removed.
class Room {
 public:
  Room() = default;
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  virtual ~Room() = default;

  /// What to execute so that `argv` runs inside.
  [[nodiscard]] virtual std::vector<std::string> wrap(std::vector<std::string> argv) const {
    return argv;
  }
  /// In the forked child, before exec, async-signal-safe: moves it inside. 0 or an errno.
  [[nodiscard]] virtual int enter() const { return 0; }
  /// The pid of what was executed.
  virtual void started(pid_t) {}
  /// observe() costs microseconds, so that it may be called at any time.
  [[nodiscard]] virtual bool is_cheap() const { return true; }
  /// Error: it cannot be looked at (not yet, or no more).
  virtual Result<Observation> observe() = 0;
  /// A descriptor that polls POLLPRI when the OOM counters change; -1: none.
  [[nodiscard]] virtual int events_fd() const { return -1; }
  /// SIGKILLs whatever is inside.
  virtual void kill_all() = 0;
  /// Removes it. Error: it is still there; the remedy says how to remove it.
  virtual Result<void> remove() = 0;
  /// For people: "/sys/fs/cgroup/memory/oomdrill-1" or "container oomdrill-1".
  [[nodiscard]] virtual std::string where() const = 0;
  /// The command line that removes it by hand.
  [[nodiscard]] virtual std::string removal() const = 0;
};

struct Engine {
  std::string_view name;
  std::string_view help;
  /// leaksim and oomprobe come with the room (an image), and are not those beside oomdrill.
  bool brings_programs;
  Result<std::unique_ptr<Room>> (*make)(const Wish& wish);
};

/// The one table, in the order that `auto` tries.
std::span<const Engine> engines();

struct Choice {
  const Engine* engine = nullptr;
  std::unique_ptr<Room> room;
  /// Engines that were tried before, with why they do not work here.
  std::vector<std::pair<std::string, std::string>> refused;
};

/// "auto", or one of the table. Error: unknown, or none works; it says why of each.
Result<Choice> choose_engine(std::string_view name, const Wish& wish);

Result<std::unique_ptr<Room>> make_cgroup_room(const Wish& wish);
Result<std::unique_ptr<Room>> make_systemd_room(const Wish& wish);
Result<std::unique_ptr<Room>> make_docker_room(const Wish& wish);

}  // namespace oomdrill::run
