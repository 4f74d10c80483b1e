#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "base/clock.h"

namespace oomdrill::telemetry {

/// The longest line, with its newline: a write(2) of it to a pipe is atomic (PIPE_BUF).
inline constexpr std::size_t kMaxLine = 4096;

/// CloudWatch units that we publish (aws.md); `none` marks a field that is no metric.
enum class Unit { not_a_metric, none, bytes, percent, count, seconds, bytes_per_second };

/// A flat object with nested objects one or more levels deep, held in place: building one never
/// allocates. Names and text are views; they must outlive the encoding. Names are lower_snake,
/// with the unit at their end (`used_bytes`, `used_percent`, `eta_s`); metrics keep CloudWatch's
/// names. What does not fit is dropped and counted, never overrun.
class Event {
 public:
  struct Open {};
  struct Close {};
  using Value =
      std::variant<std::int64_t, std::uint64_t, double, bool, std::string_view, Open, Close>;
  struct Field {
    std::string_view name;
    Value value;
    Unit unit = Unit::not_a_metric;
  };
  static constexpr std::size_t kCapacity = 96;

  /// `name` is "family.what": "memory.sample".
  Event(std::string_view name, WallTime time) : name_(name), time_(time) {}

  Event& text(std::string_view name, std::string_view value) { return push({name, value}); }
  Event& number(std::string_view name, std::uint64_t value) { return push({name, value}); }
  Event& integer(std::string_view name, std::int64_t value) { return push({name, value}); }
  Event& real(std::string_view name, double value) { return push({name, value}); }
  Event& boolean(std::string_view name, bool value) { return push({name, value}); }
  /// A field that is known to be unknown.
  Event& null(std::string_view name) {
    return push({name, std::numeric_limits<double>::quiet_NaN()});
  }
  /// Absent values add no field.
  Event& number(std::string_view name, std::optional<std::uint64_t> value) {
    return value ? number(name, *value) : *this;
  }
  Event& real(std::string_view name, std::optional<double> value) {
    return value ? real(name, *value) : *this;
  }
  /// A field that the emf encoder also declares as a metric.
  Event& metric(std::string_view name, double value, Unit unit) {
    return push({name, value, unit});
  }
  /// Fields until the matching end() are members of an object called `name`.
  Event& begin(std::string_view name) { return push({name, Open{}}); }
  Event& end() { return push({{}, Close{}}); }

  [[nodiscard]] std::string_view name() const { return name_; }
  [[nodiscard]] WallTime time() const { return time_; }
  [[nodiscard]] std::span<const Field> fields() const { return {fields_.data(), size_}; }
  [[nodiscard]] std::size_t dropped() const { return dropped_; }

 private:
  Event& push(const Field& field) {
    if (size_ < kCapacity) {
      fields_[size_++] = field;
    } else {
      ++dropped_;
    }
    return *this;
  }

  std::string_view name_;
  WallTime time_;
  std::array<Field, kCapacity> fields_;
  std::size_t size_ = 0;
  std::size_t dropped_ = 0;
};

}  // namespace oomdrill::telemetry
