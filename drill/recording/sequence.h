#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"

namespace oomdrill::recording {

/// What tells one event from another, without its content.
struct Mark {
  std::uint64_t run = 0;  ///< equal for the events that share one count
  std::optional<std::uint64_t> seq = {};
  WallTime time;
  std::uint64_t fingerprint = 0;  ///< equal for two deliveries of one event
};

/// Logs are delivered at least once and not in order. This drops what came twice within some
/// thousand events, and holds back what came too early: from a gap in a writer's count on, until
/// the gap is filled or kMostHeld events or kMostBytes wait. What is lost for good costs that wait
/// and nothing else; a recording in order is never held.
class Sequence {
 public:
  enum class Place { next, held, duplicate };
  struct Held {
    Mark mark;
    std::uint64_t line;
    std::uint64_t identity;
    std::string text;
  };
  static constexpr std::size_t kMostHeld = 512;
  static constexpr std::size_t kMostBytes = std::size_t{1} << 20;
  static constexpr std::size_t kMostRuns = 16384;

  Place place(const Mark& mark);
  /// Keeps what place() said to hold. True: it is time to take().
  bool hold(const Mark& mark, std::uint64_t line, std::uint64_t identity, std::string_view text);
  /// All that is held, in the order of its times.
  std::vector<Held> take();

 private:
  static constexpr std::size_t kSeen = 4096;
  /// Fingerprints, each at its writer's count modulo kSeen: one writer goes through them in a row.
  std::vector<std::uint64_t> seen_ = std::vector<std::uint64_t>(kSeen);
  std::unordered_map<std::uint64_t, std::uint64_t> last_;  ///< run → seq
  std::vector<Held> held_;
  std::size_t held_bytes_ = 0;
  struct Gap {
    std::uint64_t run, from, to, missing;
  };
  std::optional<Gap> gap_;
};

}  // namespace oomdrill::recording
