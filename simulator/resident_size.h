#pragma once

#include <cstdint>
#include <optional>

#include "base/file.h"

namespace oomdrill::simulator {

/// Resident bytes of this process out of /proc/self/statm, through a held descriptor.
class ResidentSize {
 public:
  explicit ResidentSize(const FileRoot& root);
  [[nodiscard]] std::optional<std::uint64_t> read() const;

 private:
  Fd fd_;
};

}  // namespace oomdrill::simulator
