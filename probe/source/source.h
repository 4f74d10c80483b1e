#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "cgroup/limit.h"
#include "cgroup/location.h"
#include "source/reading.h"

namespace oomdrill::probe {

/// What stays the same between two looks.
struct Subject {
  std::optional<cgroup::Location> location;  ///< nullopt: no memory cgroup
  /// Of the figures, where there is no location; nullopt: unknown, or none.
  std::optional<cgroup::Version> version;
  cgroup::EffectiveLimit limit;
  /// The least limit that an ancestor is known to set; what binds when the own one does not.
  cgroup::Bytes outer_limit;
  cgroup::Bytes host_bytes;  ///< MemTotal
  /// gVisor: memory.events is hard-coded zeros and memory.max is not enforced (facts.md, 1).
  bool counters_trusted = true;
  /// How far usage may stay below a limit that was hit: the kernel charges in batches of 64 pages
  /// a CPU.
  std::uint64_t charge_slack = 0;
};

/// Where readings come from. Reading does not allocate unless it fails or a limit changed.
class Source {
 public:
  virtual ~Source() = default;
  virtual Result<void> read(Reading& reading) = 0;
  /// The OOM counters only; the rest of `reading` keeps what it had.
  virtual Result<void> read_counters(Reading& reading) = 0;
  /// Readable by poll(POLLPRI) when a counter moved; -1: cannot tell, look in time.
  [[nodiscard]] virtual int events_fd() const = 0;
  [[nodiscard]] virtual const Subject& subject() const = 0;
};

/// A memory cgroup, by its location. `endpoint` are limits that only the ECS endpoint tells.
Result<std::unique_ptr<Source>> open_cgroup(const FileRoot& root, const cgroup::Location& location,
                                            std::vector<cgroup::LimitCandidate> endpoint);

/// Where there is no memory cgroup: the host's counters alone.
std::unique_ptr<Source> open_host(const FileRoot& root);

/// Whether /proc/version is gVisor's.
bool is_gvisor(const FileRoot& root);

/// The least limit of `considered` that is set above the own cgroup: by an ancestor or the ECS
/// task. On v1 `hierarchical` shows the own limit too: it counts only where it is lower.
cgroup::Bytes least_outer_limit(const std::vector<cgroup::LimitCandidate>& considered);

}  // namespace oomdrill::probe
