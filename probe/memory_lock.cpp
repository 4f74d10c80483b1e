#include "memory_lock.h"

#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/units.h"

namespace oomdrill::probe {
namespace {

/// Touched before it is locked: once RLIMIT_MEMLOCK is spent the stack could not grow.
[[gnu::noinline]] void touch_stack() {
  std::array<volatile char, 128 * 1024> stack;
  for (std::size_t i = 0; i < stack.size(); i += 4096) stack[i] = 0;
}

}  // namespace

std::string lock_memory() {
  touch_stack();
  // ONFAULT (Linux 4.4): only what is really used becomes resident.
  if (::mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0) return {};
  const int error = errno;
  rlimit limit{};
  ::getrlimit(RLIMIT_MEMLOCK, &limit);
  return fmt::format(
      "memory could not be locked ({}, RLIMIT_MEMLOCK is {}): when the cgroup thrashes at its "
      "limit a look may come some 0.2 s late; raise it (docker run --ulimit memlock=-1)",
      std::strerror(error),
      limit.rlim_cur == RLIM_INFINITY ? "unlimited" : format_bytes(limit.rlim_cur));
}

}  // namespace oomdrill::probe
