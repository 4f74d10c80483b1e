#include "recording/envelope.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace oomdrill::recording {
namespace {

constexpr bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

/// The members that these documents begin with, and what their values begin with.
constexpr std::array<std::pair<std::string_view, char>, 7> kFirstMembers = {{
    {"events", '['},
    {"searchedLogStreams", '['},
    {"nextForwardToken", '"'},
    {"nextBackwardToken", '"'},
    {"results", '['},
    {"queryLanguage", '"'},
    {"statistics", '{'},
}};
/// Of a bare list: `--query events`, `--query results`.
constexpr std::array<std::string_view, 6> kListed = {"timestamp", "message",       "logStreamName",
                                                     "eventId",   "ingestionTime", "field"};
/// Keys and values other than messages are looked at this far.
constexpr std::size_t kLongestKey = 64;
constexpr std::size_t kLongestStart = 256;
constexpr std::size_t kLongestStream = 512;

}  // namespace

Envelope::Start Envelope::starts(std::string_view text) {
  const Start more = text.size() > kLongestStart ? Start::no : Start::unsure;
  std::size_t at = 0;
  const auto skip = [&] {
    while (at < text.size() && is_space(text[at])) ++at;
    return at < text.size();
  };
  const bool list = text.starts_with('[');
  if (!list && !text.starts_with('{')) return Start::no;
  while (at < text.size() && (is_space(text[at]) || (list && text[at] == '['))) ++at;
  if (at == text.size()) return more;
  if (text[at] != '{') return Start::no;
  ++at;
  if (!skip()) return more;
  if (text[at] != '"') return Start::no;
  const std::size_t end = text.find('"', at + 1);
  if (end == std::string_view::npos) return text.size() - at > kLongestKey ? Start::no : more;
  const std::string_view key = text.substr(at + 1, end - at - 1);
  if (list) {
    return std::find(kListed.begin(), kListed.end(), key) != kListed.end() ? Start::yes : Start::no;
  }
  for (const auto& [name, first] : kFirstMembers) {
    if (key != name) continue;
    at = end + 1;
    if (!skip()) return more;
    if (text[at] != ':') return Start::no;
    ++at;
    if (!skip()) return more;
    return text[at] == first ? Start::yes : Start::no;
  }
  return Start::no;
}

Envelope::Envelope(OnMessage on_message, std::size_t longest)
    : on_message_(std::move(on_message)), longest_(longest) {}

void Envelope::open() {
  close();
  depth_ = 0;
  broken_ = false;
  messages_ = 0;
}

void Envelope::close() {
  depth_ = kClosed;
  expects_value_ = false;
  at_ = At::between;
  escape_ = 0;
  high_ = 0;
  key_.clear();
  field_.clear();
  stream_.clear();
}

std::size_t Envelope::feed(std::string_view bytes) {
  std::size_t taken = 0;
  while (is_open() && taken < bytes.size()) {
    const std::string_view rest = bytes.substr(taken);
    taken += at_ == At::between ? plain(rest) : string(rest);
  }
  return taken;
}

std::size_t Envelope::plain(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    switch (bytes[i]) {
      case '"':
        text_.clear();
        at_ = expects_value_ ? At::value : At::key;
        if (at_ == At::value && key_ != "message" && key_ != "value" && key_ != "field" &&
            key_ != "logStreamName" && key_ != "@message") {
          at_ = At::skipped;
        }
        return i + 1;
      case ':':
        expects_value_ = true;
        break;
      case ',':
        expects_value_ = false;
        break;
      case '{':
        field_.clear();
        stream_.clear();
        [[fallthrough]];
      case '[':
        ++depth_;
        expects_value_ = false;
        break;
      case '}':
      case ']':
        expects_value_ = false;
        if (--depth_ <= 0) {
          close();
          return i + 1;
        }
        break;
      default:
        break;
    }
  }
  return bytes.size();
}

/// How long what is being read may become.
std::size_t Envelope::room() const {
  if (at_ == At::skipped) return 0;
  if (at_ == At::key || key_ == "field") return kLongestKey;
  return key_ == "logStreamName" ? kLongestStream : longest_;
}

void Envelope::put(char c) {
  if (text_.size() < room()) text_ += c;
}

void Envelope::put_code_unit() {
  const std::uint32_t unit = std::exchange(code_, 0);
  std::uint32_t point = unit;
  if (unit >= 0xD800 && unit < 0xDC00) {
    high_ = unit;
    return;
  }
  const std::uint32_t high = std::exchange(high_, 0);
  if (unit >= 0xDC00 && unit < 0xE000) {
    point = high != 0 ? 0x10000 + ((high - 0xD800) << 10U) + (unit - 0xDC00) : 0xFFFD;
  }
  const auto byte = [this](std::uint32_t value) { put(static_cast<char>(value)); };
  if (point < 0x80) {
    byte(point);
  } else if (point < 0x800) {
    byte(0xC0 | (point >> 6U));
    byte(0x80 | (point & 0x3FU));
  } else if (point < 0x10000) {
    byte(0xE0 | (point >> 12U));
    byte(0x80 | ((point >> 6U) & 0x3FU));
    byte(0x80 | (point & 0x3FU));
  } else {
    byte(0xF0 | (point >> 18U));
    byte(0x80 | ((point >> 12U) & 0x3FU));
    byte(0x80 | ((point >> 6U) & 0x3FU));
    byte(0x80 | (point & 0x3FU));
  }
}

std::size_t Envelope::string(std::string_view bytes) {
  const std::size_t most = room();
  std::size_t i = 0;
  while (i < bytes.size()) {
    if (escape_ == 0) {
      const std::size_t first = i;
      while (i < bytes.size() && bytes[i] != '"' && bytes[i] != '\\' && bytes[i] != '\n') ++i;
      if (text_.size() < most) {
        text_.append(bytes.substr(first, std::min(i - first, most - text_.size())));
      }
      if (i == bytes.size()) break;
      const char c = bytes[i];
      if (c == '\n') {
        // JSON has no such string: the document was cut, or is none. Lines go on behind it.
        broken_ = true;
        close();
        return i;
      }
      ++i;
      if (c == '"') {
        end_string();
        return i;
      }
      escape_ = 1;
    } else if (escape_ == 1) {
      const char c = bytes[i++];
      escape_ = 0;
      switch (c) {
        case 'b':
          put('\b');
          break;
        case 'f':
          put('\f');
          break;
        case 'n':
          put('\n');
          break;
        case 'r':
          put('\r');
          break;
        case 't':
          put('\t');
          break;
        case 'u':
          escape_ = 2;
          break;
        default:
          put(c);
      }
    } else {
      const char c = bytes[i++];
      const char lower = static_cast<char>(c | 0x20);
      std::uint32_t digit = 0;
      if (c >= '0' && c <= '9') digit = static_cast<std::uint32_t>(c - '0');
      if (lower >= 'a' && lower <= 'f') digit = static_cast<std::uint32_t>(lower - 'a' + 10);
      code_ = code_ * 16 + digit;
      if (++escape_ == 6) {
        escape_ = 0;
        put_code_unit();
      }
    }
  }
  return i;
}

void Envelope::end_string() {
  const At ended = std::exchange(at_, At::between);
  high_ = 0;
  if (ended == At::key) {
    key_ = text_;
    return;
  }
  if (ended == At::skipped) return;
  if (key_ == "field") {
    field_ = text_;
  } else if (key_ == "logStreamName") {
    stream_ = text_;
  } else if (key_ != "value" || field_ == "@message") {
    ++messages_;
    while (!text_.empty() && is_space(text_.back())) text_.pop_back();
    text_.reserve(text_.size() + kPadding);
    on_message_(text_, stream_);
  }
}

}  // namespace oomdrill::recording
