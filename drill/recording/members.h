#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "recording/record.h"
#include "recording/shape.h"
#include "recording/structure.h"

namespace oomdrill::recording {

std::uint64_t mix(std::uint64_t hash, std::uint64_t value);
std::uint64_t mix(std::uint64_t hash, std::string_view text);

/// The members of one line's object, and those that tell what it is.
class Members {
 public:
  /// The object that `walk` is at, and nothing behind it. What was taken before is gone. Lines of
  /// one event are alike: one with the keys of another is not taken apart anew.
  simdjson::error_code take(Structure::Walk walk);

  [[nodiscard]] std::span<const Member> all() const { return all_; }
  [[nodiscard]] const MemberIndex& index() const { return *index_; }
  /// Those of the root; the first where there are several.
  [[nodiscard]] std::optional<std::string_view> event() const { return event_; }
  [[nodiscard]] std::optional<std::string_view> time() const { return time_; }
  [[nodiscard]] std::optional<std::uint64_t> seq() const { return seq_; }
  /// Of the container that the event names; 0: it names none.
  [[nodiscard]] std::uint64_t identity() const { return identity_; }

 private:
  /// The last line of some event that was taken apart.
  struct Known {
    Shape shape;
    std::uint32_t misses = 0;
    std::uint32_t patience = 1;  ///< misses, until another line takes its place
  };
  static constexpr std::size_t kKnown = 32;

  simdjson::error_code take_apart(Structure::Walk& walk);
  simdjson::error_code object(Structure::Walk& walk, std::int32_t parent, int depth, bool keep);
  simdjson::error_code array(Structure::Walk& walk, int depth);
  simdjson::error_code value(Structure::Walk& walk, Member& member, int depth, std::int32_t place);
  simdjson::error_code text(Member& member, std::string_view token);
  void note(const Member& member);

  std::vector<Known> known_ = std::vector<Known>(kKnown);
  Taken taken_;  ///< not made anew for each line
  std::span<const Member> all_;
  const MemberIndex* index_ = &taken_.index;
  std::optional<std::string_view> event_;
  std::optional<std::string_view> time_;
  std::optional<std::uint64_t> seq_;
  std::uint64_t identity_ = 0;
  simdjson::ondemand::parser unescaper_;
  std::vector<std::string> unescaped_;
};

}  // namespace oomdrill::recording
