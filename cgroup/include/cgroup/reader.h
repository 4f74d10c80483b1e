#pragma once

#include <memory>

#include "base/error.h"
#include "base/file.h"
#include "cgroup/location.h"
#include "cgroup/sample.h"

namespace oomdrill::cgroup {

class HeldFiles;

/// Reads samples through descriptors that are opened once. They outlive the death of every
/// process in the cgroup and, held through /proc/<pid>/root, the container (facts.md, 3).
class Reader {
 public:
  /// Opens whatever of the files exists, and reads them once. Error: the usage file cannot be
  /// opened (the root cgroup of v2 has none), or one that was opened cannot be read or parsed.
  static Result<Reader> open(const FileRoot& root, const Location& location);

  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;
  ~Reader();

  struct Parts {
    bool stat = true;  ///< memory.stat: 6 µs, and seconds on large hosts (allocators.md)
    bool pressure = true;
  };
  /// Does not allocate unless it fails. Error: path and line of what could not be read or parsed
  /// (errnum ENODEV: the cgroup was removed); `sample` is then as it was.
  Result<void> read(Sample& sample, Parts parts) const;
  Result<void> read(Sample& sample) const { return read(sample, Parts{}); }

  /// Only the OOM counters, own and hierarchical, of `sample`: what is read at once when a child
  /// dies by signal 9.
  Result<void> read_counters(Sample& sample) const;

  /// v2: held descriptor of memory.events, readable by poll(POLLPRI) on a change; -1 on v1.
  [[nodiscard]] int events_fd() const;
  [[nodiscard]] const Location& location() const { return location_; }

 private:
  Reader(Location location, std::unique_ptr<const HeldFiles> files);
  Location location_;
  std::unique_ptr<const HeldFiles> files_;
};

/// memory.stat as another program relays it. Error: a line of it holds no number.
Result<Stat> parse_stat(std::string_view text, Version version);

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
