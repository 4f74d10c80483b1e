#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace oomdrill::probe {

/// What /proc/<pid>/stat says of a process.
struct ProcessStat {
  std::string_view comm;
  char state = '?';
  /// A zombie, one that the kernel is taking down, or one with a SIGKILL pending.
  bool dying = false;
  /// A SIGKILL is pending, or is what it died of. The kernel shows the latter only to those who
  /// may trace the process.
  bool sigkilled = false;
  std::uint64_t vm_bytes = 0;
  std::uint64_t rss_pages = 0;
};

/// `text` outlives the result. nullopt: not such a file. Fields after the 31st may be missing.
std::optional<ProcessStat> parse_process_stat(std::string_view text);

}  // namespace oomdrill::probe
