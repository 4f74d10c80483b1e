#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"

namespace simdjson::dom {
class object;
}

namespace oomdrill::recording {

/// One event of a recording. It and what it returns live until the next line is read.
class Record {
 public:
  Record(std::uint64_t line, std::string_view event, WallTime time,
         const simdjson::dom::object& object)
      : line_(line), event_(event), time_(time), object_(&object) {}

  /// Counted from 1.
  [[nodiscard]] std::uint64_t line() const { return line_; }
  [[nodiscard]] std::string_view event() const { return event_; }
  [[nodiscard]] WallTime time() const { return time_; }

  /// A member; dots step into objects: "last_sample.used_bytes". nullopt where it is absent or of
  /// another type: a field is never taken for 0.
  [[nodiscard]] std::optional<std::uint64_t> whole(std::string_view path) const;
  [[nodiscard]] std::optional<double> real(std::string_view path) const;
  [[nodiscard]] std::optional<bool> boolean(std::string_view path) const;
  [[nodiscard]] std::optional<std::string_view> text(std::string_view path) const;

 private:
  std::uint64_t line_;
  std::string_view event_;
  WallTime time_;
  const simdjson::dom::object* object_;
};

}  // namespace oomdrill::recording
