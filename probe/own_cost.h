#pragma once

#include "base/file.h"
#include "cgroup/sample.h"

namespace oomdrill::probe {

/// What this process itself takes. Asking opens nothing.
class OwnCost {
 public:
  OwnCost();
  [[nodiscard]] cgroup::Bytes rss() const;
  /// User and system time so far, in seconds.
  [[nodiscard]] static double cpu_s();

 private:
  Fd statm_;
};

}  // namespace oomdrill::probe
