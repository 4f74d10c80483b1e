#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/units.h"

namespace oomdrill::simulator {

/// The recent past of a leak, in place: rates over the last second, growth over half a minute.
class Trend {
 public:
  struct Mark {
    Nanoseconds due{0};      ///< up to which `requested` counts
    Nanoseconds elapsed{0};  ///< at which the others were read
    std::uint64_t requested = 0;
    std::uint64_t achieved = 0;
    std::uint64_t used = 0;
  };
  void add(const Mark& mark);

  /// Bytes a second from the newest mark that is a second older than the last one (or from the
  /// oldest) up to the last one; nullopt with less than two marks.
  [[nodiscard]] std::optional<double> requested() const;
  [[nodiscard]] std::optional<double> achieved() const;
  /// Growth of the usage over up to 30 s: a burst is averaged, and so are the batches of 64 pages
  /// a CPU in which the kernel charges.
  [[nodiscard]] std::optional<double> growth() const;

 private:
  static constexpr std::size_t kCapacity = 256;
  /// The newest mark at least `age` older than the last one, else the oldest; null without two.
  [[nodiscard]] const Mark* back(Nanoseconds age) const;
  [[nodiscard]] const Mark& at(std::size_t i) const { return marks_[(first_ + i) % kCapacity]; }

  std::array<Mark, kCapacity> marks_{};
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace oomdrill::simulator
