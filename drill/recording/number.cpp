#include "recording/number.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>

namespace oomdrill::recording {
namespace {

static_assert(std::endian::native == std::endian::little);
constexpr std::uint64_t kOnes = 0x0101010101010101U;
constexpr std::uint64_t kHighs = 0x8080808080808080U;
constexpr std::uint64_t kZeros = kOnes * '0';

constexpr auto kTens = [] {
  std::array<std::uint64_t, 16> powers{};
  std::uint64_t power = 1;
  for (std::uint64_t& each : powers) {
    each = power;
    power *= 10;
  }
  return powers;
}();

/// At most eight characters as their values, the last in the highest byte; 0 before the first.
std::uint64_t values_of(const char* at, std::size_t size) {
  return (load8(at) ^ kZeros) << (8 - size) * 8;
}

/// The bytes that are no digits have their high bit set; those above one that is none may.
std::uint64_t others(std::uint64_t values) {
  return ((values + kOnes * (0x7F - 9)) | values) & kHighs;
}

/// Of eight digits.
std::uint64_t sum_of(std::uint64_t values) {
  values = values * 10 + (values >> 8U);
  constexpr std::uint64_t kMask = 0x000000FF000000FFU;
  return ((values & kMask) * (100 + (1'000'000ULL << 32U)) +
          ((values >> 16U) & kMask) * (1 + (10'000ULL << 32U))) >>
         32U;
}

/// All of `digits`, at most 16, into `value`; false: one is none.
bool read_digits(std::string_view digits, std::uint64_t& value) {
  if (digits.size() > 16) return false;
  const std::size_t front = std::min<std::size_t>(digits.size(), 8);
  const std::uint64_t first = values_of(digits.data(), front);
  value = sum_of(first);
  if (digits.size() <= 8) return others(first) == 0;
  const std::size_t rest = digits.size() - 8;
  const std::uint64_t second = values_of(digits.data() + 8, rest);
  value = value * kTens[rest] + sum_of(second);
  return (others(first) | others(second)) == 0;
}

/// Any that JSON allows; whether a double holds it.
bool read_any(std::string_view token, double& value) {
  const std::string_view plain = token.substr(token.starts_with('-') ? 1 : 0);
  // from_chars also reads "-inf", "01" and "1.", and stops where it pleases.
  if (plain.empty() || plain[0] < '0' || plain[0] > '9' || token.back() == '.' ||
      (plain.size() > 1 && plain[0] == '0' && plain[1] >= '0' && plain[1] <= '9')) {
    return false;
  }
  if (const auto dot = plain.find('.');
      dot != std::string_view::npos && (plain[dot + 1] < '0' || plain[dot + 1] > '9')) {
    return false;
  }
  const char* const end = token.data() + token.size();
  const auto read = std::from_chars(token.data(), end, value);
  return read.ec == std::errc() && read.ptr == end;
}

}  // namespace

bool is_number(std::string_view token) {
  const std::size_t size = token.size();
  if (size > 0 && size <= 8 && others(values_of(token.data(), size)) == 0) {
    return token[0] != '0' || size == 1;
  }
  // Digits with at most one dot between: without their value, which most are never asked for.
  constexpr std::size_t kLongest = 24;
  if (size > 0 && size <= kLongest) {
    std::size_t dot = size;
    bool plain = true;
    for (std::size_t at = 0; at < size; at += 8) {
      const std::size_t part = std::min<std::size_t>(size - at, 8);
      const std::uint64_t marks = others(values_of(token.data() + at, part));
      if (marks == 0) continue;
      const std::size_t place =
          at + static_cast<std::size_t>(std::countr_zero(marks)) / 8 + part - 8;
      // A dot is no great value: it marks none but itself.
      plain = plain && (marks & (marks - 1)) == 0 && dot == size && token[place] == '.';
      dot = place;
    }
    if (plain && dot != 0 && dot + 1 != size && (token[0] != '0' || size == 1 || dot == 1)) {
      return true;
    }
  }
  double value = 0;
  return read_any(token, value);
}

std::optional<std::uint64_t> whole_of(std::string_view token) {
  std::uint64_t value = 0;
  if (read_digits(token, value)) return value;
  const char* const end = token.data() + token.size();
  const auto read = std::from_chars(token.data(), end, value);
  if (read.ec == std::errc() && read.ptr == end) return value;
  const double real = real_of(token);
  if (token[0] == '-' || !(real >= 0 && real < 1.8e19) || std::floor(real) != real ||
      token.find_first_of(".eE") == std::string_view::npos) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(real);
}

double real_of(std::string_view token) {
  std::uint64_t before = 0;
  std::uint64_t behind = 0;
  const std::size_t dot = std::min(token.find('.'), token.size());
  const std::size_t places = token.size() - dot - (dot < token.size() ? 1 : 0);
  if (dot + places <= 15 && read_digits(token.substr(0, dot), before) &&
      (places == 0 || read_digits(token.substr(dot + 1), behind))) {
    // Both operands are below 2^53 and exact, so the quotient is the nearest double.
    const std::uint64_t power = kTens[places];
    return static_cast<double>(before * power + behind) / static_cast<double>(power);
  }
  double value = 0;
  std::from_chars(token.data(), token.data() + token.size(), value);
  return value;
}

}  // namespace oomdrill::recording
