#include "report/escape.h"

#include <simdjson.h>

namespace oomdrill::report {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// U+202A to U+202E and U+2066 to U+2069, which all are of three bytes.
bool turns_direction(std::string_view at) {
  if (at.size() < 3 || at[0] != '\xE2') return false;
  return (at[1] == '\x80' && at[2] >= '\xAA' && at[2] <= '\xAE') ||
         (at[1] == '\x81' && at[2] >= '\xA6' && at[2] <= '\xA9');
}

}  // namespace

std::string clean_text(std::string_view text) {
  const bool valid = simdjson::validate_utf8(text.data(), text.size());
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7F) {
      out += ' ';
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
