#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace oomdrill::probe {

/// What /proc/<pid>/stat says of a process that may be dying.
struct ProcessStat {
  std::string_view comm;
  char state = '?';
  /// A zombie, one that the kernel is taking down, or one with a SIGKILL pending.
  bool dying = false;
};

/// `text` outlives the result. nullopt: not such a file.
std::optional<ProcessStat> parse_process_stat(std::string_view text);

}  // namespace oomdrill::probe
