#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "cgroup/location.h"

namespace oomdrill::probe {

/// Registers "some tasks waited for memory for 150 ms of 2 s" on a PSI file: the least window that
/// the kernel gives to whoever is not privileged. The descriptor wakes poll(POLLPRI) while the
/// stall lasts, once a window at most (Documentation/accounting/psi.rst). Linux 5.2.
Result<Fd> open_pressure_trigger(const std::string& path);

/// Being woken when memory gets scarce, before a counter of the cgroup moves. On the cgroup's own
/// memory.pressure, which a container mostly has read-only, and may not write at its namespace's
/// root where the mount delegates (nsdelegate: EPERM, seen in the VM); else on the machine's, whose
/// pressure may be others': it is a reason to look, and no finding.
class PressureTrigger {
 public:
  PressureTrigger() = default;
  PressureTrigger(const FileRoot& root, const std::optional<cgroup::Location>& location);

  /// To be polled for POLLPRI; -1: there is none.
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// What it is on, as probe.started tells it: cgroup, system or none.
  [[nodiscard]] std::string_view where() const { return where_; }
  /// Why it is not on the cgroup; empty where it is.
  [[nodiscard]] const std::string& reason() const { return reason_; }
  /// The cgroup is gone: poll() would return for ever.
  void close() { fd_.reset(); }

 private:
  Fd fd_;
  std::string_view where_ = "none";
  std::string reason_;
};

}  // namespace oomdrill::probe
