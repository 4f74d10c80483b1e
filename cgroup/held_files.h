#pragma once

#include "base/error.h"
#include "cgroup/reader.h"
#include "cgroup/sample.h"

namespace oomdrill::cgroup {

/// What a Reader holds open; one implementation a version, made by v1::open_files and
/// v2::open_files.
class HeldFiles {
 public:
  HeldFiles() = default;
  HeldFiles(const HeldFiles&) = delete;
  HeldFiles& operator=(const HeldFiles&) = delete;
  virtual ~HeldFiles() = default;

  /// Into an empty sample. Allocates nothing unless it fails.
  virtual Result<void> read(Sample& sample, Reader::Parts parts) const = 0;
  virtual Result<void> read_counters(Sample& sample) const = 0;
  [[nodiscard]] virtual int events_fd() const = 0;
};

}  // namespace oomdrill::cgroup
