#include "encode/line_writer.h"

#include <array>
#include <charconv>
#include <cmath>

namespace oomdrill::telemetry {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

struct Character {
  std::size_t length;  ///< bytes to pass over: a character, or the wrong bytes that U+FFFD replaces
  bool valid;
};

/// The character that `text` (not empty) begins with. Unicode 15, table 3-7: no overlong forms,
/// no surrogates, nothing above U+10FFFF; a broken sequence is replaced up to where it breaks.
Character first_character(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {1, true};
  if (lead < 0xC2 || lead > 0xF4) return {1, false};
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  unsigned least = 0x80;
  unsigned most = 0xBF;
  if (lead == 0xE0) least = 0xA0;
  if (lead == 0xED) most = 0x9F;
  if (lead == 0xF0) least = 0x90;
  if (lead == 0xF4) most = 0x8F;
  for (std::size_t i = 1; i < length; ++i) {
    if (i == text.size() || byte(i) < least || byte(i) > most) return {i, false};
    least = 0x80;
    most = 0xBF;
  }
  return {length, true};
}

void put_code_unit(LineWriter& out, unsigned value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const std::array text = {'\\', 'u', '0', '0', kDigits[value >> 4 & 15], kDigits[value & 15]};
  out.put(std::string_view(text.data(), text.size()));
}

}  // namespace

void LineWriter::put(std::uint64_t value) {
  std::array<char, 20> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  put(std::string_view(text.data(), static_cast<std::size_t>(end - text.data())));
}

void LineWriter::put(std::int64_t value) {
  std::array<char, 20> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  put(std::string_view(text.data(), static_cast<std::size_t>(end - text.data())));
}

void LineWriter::put(double value) {
  constexpr double kExact = 9007199254740992;  // 2^53: whole numbers below are all represented
  const double magnitude = std::fabs(value);
  if (magnitude < kExact && magnitude == std::trunc(magnitude)) {
    put(static_cast<std::int64_t>(value));
    return;
  }
  std::array<char, 32> text;
  char* const begin = text.data();
  char* const limit = begin + text.size();
  const bool readable = magnitude >= 1e-4 && magnitude < kExact;
  const auto end = readable ? std::to_chars(begin, limit, value, std::chars_format::fixed).ptr
                            : std::to_chars(begin, limit, value, std::chars_format::scientific).ptr;
  put(std::string_view(begin, static_cast<std::size_t>(end - begin)));
}

void LineWriter::put_escaped(std::string_view text, bool for_terminal) {
  while (!text.empty() && !overflow_) {
    const auto c = static_cast<unsigned char>(text[0]);
    const Character character = first_character(text);
    const std::string_view bytes = text.substr(0, character.length);
    text.remove_prefix(character.length);
    if (!character.valid) {
      put(kReplacement);
    } else if (c == '"' || c == '\\') {
      put('\\');
      put(static_cast<char>(c));
    } else if (c == '\n') {
      put("\\n");
    } else if (c == '\t') {
      put("\\t");
    } else if (c == '\r') {
      put("\\r");
    } else if (c < 0x20 || (for_terminal && c == 0x7F)) {
      put_code_unit(*this, c);
    } else if (for_terminal && c == 0xC2 && static_cast<unsigned char>(bytes[1]) < 0xA0) {
      put_code_unit(*this, static_cast<unsigned char>(bytes[1]));
    } else {
      put(bytes);
    }
  }
}

}  // namespace oomdrill::telemetry
