#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "recording/record.h"
#include "recording/structure.h"

namespace oomdrill::recording {

/// How our encoders begin a line.
constexpr std::string_view kEventStart = R"({"event":")";

/// From `begin` to the token at `next`, without the white space between.
inline std::string_view token_between(const char* begin, const char* next) {
  while (next[-1] == ' ' || next[-1] == '\t' || next[-1] == '\n' || next[-1] == '\r') --next;
  return {begin, static_cast<std::size_t>(next - begin)};
}

/// What was found in one line.
class Taken {
 public:
  MemberIndex index;

  void clear() {
    size_ = 0;
    index.clear();
  }
  Member& add();
  /// An object that holds members ends behind the last of them.
  void close() {
    if (size_ > 0) ++closed_[size_ - 1];
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::span<const Member> members() const { return std::span(list_).first(size_); }
  /// How many objects end behind a member.
  [[nodiscard]] std::uint8_t closed(std::size_t place) const { return closed_[place]; }

 private:
  std::vector<Member> list_;
  std::vector<std::uint8_t> closed_;
  std::size_t size_ = 0;
};

/// The keys of one line, and how they lie in objects: what the next line of the same event has,
/// too. To compare them costs a third of taking the line apart.
class Shape {
 public:
  /// Of the line that `taken` was found in.
  void learn(Structure::Walk walk, const Taken& taken);
  /// Whether a line is of this shape and valid: then its values are in members(). false says
  /// nothing of the line.
  bool match(const Structure::Walk& walk);

  [[nodiscard]] std::span<const Member> members() const { return members_; }
  [[nodiscard]] const MemberIndex& index() const { return index_; }
  /// Members of the root that tell what the line is.
  [[nodiscard]] const std::vector<std::uint8_t>& noted() const { return noted_; }

 private:
  static constexpr std::size_t kWords = 3;
  struct Step {
    /// The key with its quotes and colon, and which bits of the words it fills.
    std::array<std::uint64_t, kWords> words;
    std::array<std::uint64_t, kWords> masks;
    std::uint32_t size;
    /// Of an array, an empty or a deep object, which has to be the same to the byte: its tokens and
    /// text.
    std::uint32_t tokens;
    std::string_view same;
    std::uint8_t closed;
    bool object;
  };
  [[nodiscard]] static bool has_key(const Step& step, const char* at);

  std::string line_;
  std::vector<Member> members_;
  std::vector<Step> steps_;
  std::vector<std::uint8_t> noted_;
  MemberIndex index_;
  std::size_t tokens_ = 0;
};

}  // namespace oomdrill::recording
