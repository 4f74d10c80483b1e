#pragma once

#include <optional>
#include <string_view>

#include "base/file.h"
#include "cgroup/reader.h"
#include "source/reading.h"

namespace oomdrill::probe {

/// The kernel's counters outside of any cgroup, through held descriptors.
class Host {
 public:
  explicit Host(const FileRoot& root);
  void read(Reading& reading) const;
  /// The OOM counter alone.
  void read_kills(Reading& reading) const;

 private:
  std::optional<cgroup::HostOomCounter> oom_;
  Fd meminfo_;
};

/// "MemAvailable:    123 kB" → bytes; nullopt where the line is absent or malformed.
cgroup::Bytes find_mem_available(std::string_view meminfo);

}  // namespace oomdrill::probe
