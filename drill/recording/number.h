#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

/// Numbers as JSON writes them. Seven bytes behind a token may be read.
namespace oomdrill::recording {

/// A multiplier that moves what differs into the high bits.
constexpr std::uint64_t kSpread = 0x9E3779B97F4A7C15U;

/// Eight bytes as a number, the first in the lowest byte.
inline std::uint64_t load8(const char* at) {
  std::uint64_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return value;
}

/// Whether it is one, and a double holds it.
bool is_number(std::string_view token);

/// Of a token that is_number(). nullopt: negative, with a fraction, or above 64 bits.
std::optional<std::uint64_t> whole_of(std::string_view token);
/// The nearest double.
double real_of(std::string_view token);

}  // namespace oomdrill::recording
