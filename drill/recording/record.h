#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "base/clock.h"

namespace oomdrill::recording {

/// A member of an event's object, or of an object within it.
struct Member {
  enum class Type : std::uint8_t { null, boolean, whole, negative, real, text, object, array };
  static constexpr std::int32_t kRoot = -1;

  std::string_view key = {};
  std::uint64_t tag = 0;       ///< of `key`: most lookups pass most members by
  std::string_view text = {};  ///< of `text`
  std::uint64_t whole = 0;     ///< of `whole`; 0 or 1 of `boolean`
  double real = 0;             ///< of any number
  std::int32_t parent = kRoot;
  Type type = Type::null;

  static std::uint64_t tag_of(std::string_view name) {
    std::uint64_t front = 0;
    if (name.size() >= sizeof front) {
      std::memcpy(&front, name.data(), sizeof front);
    } else {
      for (std::size_t i = name.size(); i-- > 0;) {
        front = front << 8U | static_cast<unsigned char>(name[i]);
      }
    }
    return front ^ (static_cast<std::uint64_t>(name.size()) << 56U);
  }
};

/// Where the members of the root are, by a hash of their keys.
struct MemberIndex {
  std::array<std::uint8_t, 256> first;  ///< 1 + the member's place; 0: no key has this hash
  bool full = false;                    ///< some members have no place in it

  static std::size_t slot(std::uint64_t tag) { return (tag * 0x9E3779B97F4A7C15U) >> 56U; }
  void clear() {
    first.fill(0);
    full = false;
  }
  void add(std::uint64_t tag, std::size_t place) {
    std::uint8_t& found = first[slot(tag)];
    if (place >= 255) {
      full = true;
    } else if (found == 0) {
      found = static_cast<std::uint8_t>(place + 1);
    }
  }
};

/// One event of a recording. It and what it returns live until the next line is read.
class Record {
 public:
  /// `identity` tells the containers of one recording apart; 0 where nothing does.
  Record(std::uint64_t line, std::string_view event, WallTime time, std::span<const Member> members,
         const MemberIndex& index, std::uint64_t identity = 0)
      : line_(line),
        event_(event),
        time_(time),
        members_(members),
        index_(&index),
        identity_(identity) {}

  /// Counted from 1; within a JSON document of log events, its messages are counted.
  [[nodiscard]] std::uint64_t line() const { return line_; }
  [[nodiscard]] std::string_view event() const { return event_; }
  [[nodiscard]] WallTime time() const { return time_; }
  [[nodiscard]] std::uint64_t identity() const { return identity_; }

  /// A member; dots step into objects: "last_sample.used_bytes". nullopt where it is absent or of
  /// another type: a field is never taken for 0.
  [[nodiscard]] std::optional<std::uint64_t> whole(std::string_view path) const;
  [[nodiscard]] std::optional<double> real(std::string_view path) const;
  [[nodiscard]] std::optional<bool> boolean(std::string_view path) const;
  [[nodiscard]] std::optional<std::string_view> text(std::string_view path) const;

 private:
  [[nodiscard]] const Member* find(std::string_view path) const;

  std::uint64_t line_;
  std::string_view event_;
  WallTime time_;
  std::span<const Member> members_;
  const MemberIndex* index_;
  std::uint64_t identity_;
};

}  // namespace oomdrill::recording
