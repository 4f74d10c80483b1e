#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "recording/number.h"

namespace oomdrill::recording {

/// A member of an event's object, or of an object within it.
struct Member {
  enum class Type : std::uint8_t { null, boolean, number, text, object, array };
  static constexpr std::int32_t kRoot = -1;

  std::string_view key = {};
  std::uint64_t tag = 0;  ///< of `key`: most lookups pass most members by
  /// Of `text` what it says; of `number` and `boolean` its token, which most are never asked for.
  std::string_view text = {};
  std::int32_t parent = kRoot;
  Type type = Type::null;

  /// The first eight bytes, and the length.
  static constexpr std::uint64_t tag_of(std::string_view name) {
    std::uint64_t front = 0;
    for (std::size_t i = std::min<std::size_t>(name.size(), 8); i-- > 0;) {
      front = front << 8U | static_cast<unsigned char>(name[i]);
    }
    return front ^ (static_cast<std::uint64_t>(name.size()) << 56U);
  }
  /// The same, where eight bytes may be read.
  static std::uint64_t tag_of_padded(std::string_view name) {
    std::uint64_t front = load8(name.data());
    if (name.size() < 8) front &= (std::uint64_t{1} << name.size() * 8) - 1;
    return front ^ (static_cast<std::uint64_t>(name.size()) << 56U);
  }
};

/// A member's name; dots step into objects: "last_sample.used_bytes".
struct Path {
  std::string_view text;
  std::uint64_t tag;

  template <std::size_t N>
  consteval Path(const char (&name)[N]) : text(name, N - 1), tag(Member::tag_of(text)) {}
  Path(std::string_view name) : text(name), tag(Member::tag_of(name)) {}
};

/// Where the members of the root are, by a hash of their keys.
struct MemberIndex {
  std::array<std::uint8_t, 256> first;  ///< 1 + the member's place; 0: no key has this hash
  bool full = false;                    ///< some members have no place in it

  static constexpr std::size_t slot(std::uint64_t tag) { return (tag * kSpread) >> 56U; }
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

  /// A member; nullopt where it is absent or of another type: a field is never taken for 0.
  [[nodiscard]] std::optional<std::uint64_t> whole(Path path) const {
    const Member* member = find(path);
    if (member == nullptr || member->type != Member::Type::number) return std::nullopt;
    return whole_of(member->text);
  }
  [[nodiscard]] std::optional<double> real(Path path) const;
  [[nodiscard]] std::optional<bool> boolean(Path path) const;
  [[nodiscard]] std::optional<std::string_view> text(Path path) const;

 private:
  [[nodiscard]] const Member* find(const Path& path) const {
    // A name of the root, as most are: without looking for dots first.
    const std::uint8_t place = index_->first[MemberIndex::slot(path.tag)];
    if (place == 0 && !index_->full && path.text.find('.') == std::string_view::npos) {
      return nullptr;
    }
    if (place != 0) {
      const Member& member = members_[place - 1U];
      if (member.tag == path.tag && same(member.key, path.text)) return &member;
    }
    return search(path.text);
  }
  /// The tags are equal, which settles keys of up to eight bytes.
  static bool same(std::string_view a, std::string_view b) {
    return b.size() <= 8 || std::memcmp(a.data() + 8, b.data() + 8, b.size() - 8) == 0;
  }
  [[nodiscard]] const Member* search(std::string_view path) const;

  std::uint64_t line_;
  std::string_view event_;
  WallTime time_;
  std::span<const Member> members_;
  const MemberIndex* index_;
  std::uint64_t identity_;
};

}  // namespace oomdrill::recording
