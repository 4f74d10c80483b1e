#include "report/escape.h"

#include <simdjson.h>

#include <algorithm>

namespace oomdrill::report {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

}  // namespace

std::size_t unprintable(std::string_view text) {
  const auto byte = [text](std::size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
  };
  if (byte(0) < 0x20 || byte(0) == 0x7F) return 1;
  // U+0080 to U+009F: "\xC2\x9B" opens a sequence as ESC [ does.
  if (byte(0) == 0xC2 && (byte(1) & 0xE0U) == 0x80) return 2;
  if (byte(0) != 0xE2) return 0;
  const bool embeds = byte(1) == 0x80 && byte(2) >= 0xAA && byte(2) <= 0xAE;
  const bool isolates = byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9;
  return embeds || isolates ? 3 : 0;
}

std::string clean_text(std::string_view text) {
  const bool valid = simdjson::validate_utf8(text.data(), text.size());
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    std::size_t size = unprintable(text);
    const bool is_control = size == 1 || size == 2;
    if (is_control) {
      out += ' ';
    } else if (static_cast<unsigned char>(text.front()) >= 0x80 && !valid) {
      out += kReplacement;
      size = 1;
    } else if (size > 0) {
      out += kReplacement;
    } else {
      out += text.front();
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

std::string html_text(std::string_view text) {
  std::string out;
  for (const char c : clean_text(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string markdown_text(std::string_view text) {
  const std::string clean = clean_text(text);
  std::string out;
  // A line that begins like a list, a heading's underline or a rule is none.
  if (!clean.empty() && (clean[0] == '-' || clean[0] == '+' || clean[0] == '='))
    out.push_back('\\');
  for (std::size_t i = 0; i < clean.size(); ++i) {
    const char c = clean[i];
    const std::string_view rest = std::string_view(clean).substr(i);
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\\':
      case '`':
      case '*':
      case '_':
      case '[':
      case ']':
      case '|':
      case '#':
      case '~':
      case '!':
      case '$':
        out += '\\';
        out += c;
        break;
      case '@':
        // A mention is looked for in what is rendered: only a character between breaks it.
        out += "@&#8203;";
        break;
      case ':':
        out += rest.starts_with("://") ? "&#58;&#8203;" : ":";
        break;
      case '.':
        out +=
            i >= 3 && (clean.compare(i - 3, 3, "www") == 0 || clean.compare(i - 3, 3, "WWW") == 0)
                ? "&#46;&#8203;"
                : ".";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace oomdrill::report
