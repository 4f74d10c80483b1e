#pragma once

#include <cstdint>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "cgroup/location.h"
#include "cgroup/sample.h"

namespace oomdrill::cgroup {

/// Reads samples through descriptors that are opened once. They outlive the death of every
/// process in the cgroup and, held through /proc/<pid>/root, the container (facts.md, 3).
class Reader {
 public:
  /// Opens whatever of the files exists. Error: the usage file cannot be opened or read.
  static Result<Reader> open(const FileRoot& root, const Location& location);

  struct Parts {
    bool stat = true;  ///< memory.stat: 6 µs, and seconds on large hosts (allocators.md)
    bool pressure = true;
  };
  /// Does not allocate unless it fails. Error: path and line of what could not be read or parsed.
  Result<void> read(Sample& sample, Parts parts) const;
  Result<void> read(Sample& sample) const { return read(sample, Parts{}); }

  /// Only the OOM counters: what is read at once when a child dies by signal 9.
  Result<void> read_counters(Sample& sample) const;

  /// v2: held descriptor of memory.events, readable by poll(POLLPRI) on a change; -1 on v1.
  [[nodiscard]] int events_fd() const;
  [[nodiscard]] const Location& location() const { return location_; }

 private:
  // Filled in by the implementation: held descriptors by file, and the version's own parsers.
  Reader() = default;
  Location location_;
};

/// /proc/vmstat oom_kill: kernel-wide, not namespaced (facts.md, 2); held descriptor, no
/// allocation.
class HostOomCounter {
 public:
  static Result<HostOomCounter> open(const FileRoot& root);
  [[nodiscard]] Count read() const;

 private:
  HostOomCounter() = default;
  Fd fd_;
};

}  // namespace oomdrill::cgroup
