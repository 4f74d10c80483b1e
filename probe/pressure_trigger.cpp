#include "pressure_trigger.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace oomdrill::probe {

Result<Fd> open_pressure_trigger(const std::string& path) {
  auto fd = open_file(path, O_RDWR | O_NONBLOCK);
  if (!fd) return fd;
  // With its terminating zero, as the kernel's example has it.
  constexpr char kTrigger[] = "some 150000 2000000";
  if (::write(fd->get(), kTrigger, sizeof kTrigger) < 0) {
    return fail_errno("cannot be triggered on", path);
  }
  return fd;
}

PressureTrigger::PressureTrigger(const FileRoot& root,
                                 const std::optional<cgroup::Location>& location) {
  const auto attempt = [this](const std::string& path, std::string_view where) {
    auto opened = open_pressure_trigger(path);
    if (opened) {
      fd_ = std::move(*opened);
      where_ = where;
      return true;
    }
    reason_ += (reason_.empty() ? "" : "; ") + path + ": " + std::strerror(opened.error().errnum);
    return false;
  };
  if (!location) {
    reason_ = "no memory cgroup";
  } else if (location->version == cgroup::Version::v1) {
    reason_ = "cgroup v1 has no memory.pressure";
  } else if (attempt(root / (location->directory + "/memory.pressure"), "cgroup")) {
    return;
  }
  attempt(root / "/proc/pressure/memory", "system");
}

}  // namespace oomdrill::probe
