#pragma once

#include <simdjson.h>

#include <cstdint>
#include <memory>
#include <string_view>

namespace oomdrill::recording {

/// Where the tokens of some JSON begin: simdjson's first stage, of many lines at once. The second
/// is not run, neither as a tree nor on demand: both cost more than all else that reading does.
class Structure {
 public:
  /// Behind `text` there are SIMDJSON_PADDING bytes that may be read. Error: it is no UTF-8, or a
  /// string in it is not closed or has a control character; so a line of many was never a string's.
  simdjson::error_code index(std::string_view text);

  /// A walk over the tokens of a part of the indexed text.
  class Walk {
   public:
    /// Where the next token begins; nullptr: there is none.
    [[nodiscard]] const char* peek() const { return *at_ < end_ ? base_ + *at_ : nullptr; }
    void skip() { ++at_; }
    [[nodiscard]] const std::uint32_t* place() const { return at_; }
    /// Whether just so many are left.
    [[nodiscard]] bool has(std::size_t count) const {
      return count > 0 && count <= static_cast<std::size_t>(last_ - at_) && at_[count - 1] < end_ &&
             at_[count] >= end_;
    }
    /// What place() counts from.
    [[nodiscard]] const char* base() const { return base_; }

   private:
    friend class Structure;
    const char* base_ = nullptr;
    const std::uint32_t* at_ = nullptr;
    const std::uint32_t* last_ = nullptr;
    std::uint32_t end_ = 0;
  };
  /// Of `part`, which does not begin before the one of the last call.
  Walk walk(std::string_view part);

 private:
  std::unique_ptr<simdjson::internal::dom_parser_implementation> stage_;
  const char* base_ = nullptr;
  const std::uint32_t* at_ = nullptr;
  const std::uint32_t* last_ = nullptr;  ///< at which all walks end
};

}  // namespace oomdrill::recording
