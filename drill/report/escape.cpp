#include "report/escape.h"

#include <simdjson.h>

namespace oomdrill::report {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

}  // namespace

bool turns_direction(std::string_view text) {
  if (text.size() < 3 || text[0] != '\xE2') return false;
  return (text[1] == '\x80' && text[2] >= '\xAA' && text[2] <= '\xAE') ||
         (text[1] == '\x81' && text[2] >= '\xA6' && text[2] <= '\xA9');
}

std::string clean_text(std::string_view text) {
  const bool valid = simdjson::validate_utf8(text.data(), text.size());
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F: "\xC2\x9B" opens a sequence as ESC [ does.
    const bool is_c1 = c == 0xC2 && i + 1 < text.size() &&
                       (static_cast<unsigned char>(text[i + 1]) & 0xE0U) == 0x80;
    if (c < 0x20 || c == 0x7F) {
      out += ' ';
    } else if (is_c1) {
      out += ' ';
      ++i;
    } else if (c >= 0x80 && !valid) {
      out += kReplacement;
    } else if (turns_direction(text.substr(i))) {
      out += kReplacement;
      i += 2;
    } else {
      out += text[i];
    }
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
