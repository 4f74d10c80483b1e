#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <type_traits>

#include "base/units.h"
#include "encode/encoders.h"
#include "encode/line_writer.h"
#include "encode/text_layout.h"

namespace oomdrill::telemetry {
namespace {

template <class... Args>
void put_format(LineWriter& out, fmt::format_string<Args...> format, Args&&... args) {
  std::array<char, 32> text;
  const auto end =
      fmt::format_to_n(text.data(), text.size(), format, std::forward<Args>(args)...).out;
  out.put(std::string_view(text.data(), static_cast<std::size_t>(end - text.data())));
}

// The formatters of base/units.h return strings, which stay free of the heap up to 15 characters:
// the bounds below keep them there, and read better than what they replace.

void put_bytes(LineWriter& out, double value) {
  if (value < 0) out.put('-');
  out.put(format_bytes(static_cast<std::uint64_t>(std::min(std::fabs(value), 9.2e18))));
}

void put_rate(LineWriter& out, double value) {
  if (value < 0) out.put('-');
  if (std::fabs(value) > 1e15) {
    out.put("over 1 PB/s");
  } else {
    out.put(format_rate(std::fabs(value)));
  }
}

void put_duration(LineWriter& out, double seconds) {
  constexpr double kMost = 9999 * 3600.0;
  if (std::fabs(seconds) > kMost) {
    out.put("over 9999 h");
  } else {
    if (seconds < 0) out.put('-');
    out.put(format_duration(from_seconds(std::fabs(seconds))));
  }
}

void put_number(LineWriter& out, const Event::Field& field, double value) {
  const std::string_view name = field.name;
  if (!std::isfinite(value)) {
    out.put("unknown");
  } else if (name.ends_with("_bytes_per_s") || field.unit == Unit::bytes_per_second) {
    put_rate(out, value);
  } else if (name.ends_with("_bytes") || field.unit == Unit::bytes) {
    put_bytes(out, value);
  } else if (name.ends_with("_percent") || field.unit == Unit::percent) {
    if (std::fabs(value) < 1e15) {
      put_format(out, "{:.1f} %", value);
    } else {
      out.put("over 1e15 %");
    }
  } else if (name.ends_with("_s") || field.unit == Unit::seconds) {
    put_duration(out, value);
  } else if (name.ends_with("_us")) {
    put_duration(out, value / 1e6);
  } else {
    std::visit(
        [&out](const auto& v) {
          using T = std::decay_t<decltype(v)>;
          if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) out.put(v);
        },
        field.value);
  }
}

void put_value(LineWriter& out, const Event::Field& field) {
  std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::string_view>) {
          out.put_escaped(value, true);
        } else if constexpr (std::is_same_v<T, bool>) {
          out.put(value ? "true" : "false");
        } else if constexpr (std::is_arithmetic_v<T>) {
          put_number(out, field, static_cast<double>(value));
        }
      },
      field.value);
}

/// `path` is "field" or "object.field".
const Event::Field* find(const Event& event, std::string_view path) {
  std::size_t depth = 0;
  std::size_t entered = 0;  // how many of the open objects are on the path
  for (const Event::Field& field : event.fields()) {
    if (std::holds_alternative<Event::Close>(field.value)) {
      if (depth > 0 && depth-- == entered) --entered;
      continue;
    }
    std::string_view rest = path;
    for (std::size_t i = 0; i < entered; ++i) rest.remove_prefix(rest.find('.') + 1);
    if (std::holds_alternative<Event::Open>(field.value)) {
      const bool on_path = entered == depth && rest.size() > field.name.size() &&
                           rest.starts_with(field.name) && rest[field.name.size()] == '.';
      ++depth;
      if (on_path) ++entered;
    } else if (entered == depth && rest == field.name) {
      return &field;
    }
  }
  return nullptr;
}

/// Whether the field's value, written plainly, is `expected`.
bool equals(const Event::Field& field, std::string_view expected) {
  std::array<char, 64> text;
  LineWriter out{std::span<char>(text)};
  std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, bool>) {
          out.put(value ? "true" : "false");
        } else if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string_view>) {
          out.put(value);
        }
      },
      field.value);
  return !out.overflow() && std::string_view(text.data(), out.size()) == expected;
}

/// Takes a leading `field=value:` or `field!=value:` off `group` and judges it.
bool take_condition(const Event& event, std::string_view& group) {
  const auto end = group.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.");
  const auto colon = group.find(':');
  if (end == std::string_view::npos || colon == std::string_view::npos) return true;
  const bool negated = group.substr(end).starts_with("!=");
  if (end == 0 || !(negated || group[end] == '=')) return true;
  const auto value_at = end + (negated ? 2 : 1);
  const std::string_view value = group.substr(value_at, colon - value_at);
  const Event::Field* field = find(event, group.substr(0, end));
  group.remove_prefix(colon + 1);
  if (value.empty()) return (field == nullptr) != negated;
  return field != nullptr && equals(*field, value) != negated;
}

bool has_all_fields(const Event& event, std::string_view text) {
  for (auto open = text.find('{'); open != std::string_view::npos;
       open = text.find('{', open + 1)) {
    const auto close = text.find('}', open);
    if (find(event, text.substr(open + 1, close - open - 1)) == nullptr) return false;
  }
  return true;
}

void render(LineWriter& out, const Event& event, std::string_view text) {
  while (!text.empty()) {
    if (text[0] == '@') {
      render(out, event, kUsedPhrase);
      text.remove_prefix(1);
    } else if (text[0] == '[') {
      const auto close = text.find(']');
      std::string_view group = text.substr(1, close - 1);
      if (take_condition(event, group) && has_all_fields(event, group)) render(out, event, group);
      text.remove_prefix(close + 1);
    } else if (text[0] == '{') {
      const auto close = text.find('}');
      const Event::Field* field = find(event, text.substr(1, close - 1));
      if (field != nullptr) {
        put_value(out, *field);
      } else {
        out.put('?');
      }
      text.remove_prefix(close + 1);
    } else {
      const auto plain = std::min(text.find_first_of("@[{"), text.size());
      out.put(text.substr(0, plain));
      text.remove_prefix(plain);
    }
  }
}

/// All fields as `name=value`, an object's as `name={…}`.
void render_all(LineWriter& out, const Event& event) {
  bool first = true;
  for (const Event::Field& field : event.fields()) {
    if (std::holds_alternative<Event::Close>(field.value)) {
      out.put('}');
      first = false;
      continue;
    }
    if (!first) out.put(", ");
    out.put_escaped(field.name, true);
    out.put('=');
    first = std::holds_alternative<Event::Open>(field.value);
    if (first) {
      out.put('{');
    } else {
      put_value(out, field);
    }
  }
}

void put_local_time(LineWriter& out, WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  const time_t unix_time = seconds;
  tm local{};
  localtime_r(&unix_time, &local);
  put_format(out, "{:02}:{:02}:{:02}", local.tm_hour, local.tm_min, local.tm_sec);
}

void put_padded(LineWriter& out, std::size_t from, std::size_t width) {
  while (out.size() < from + width && !out.overflow()) out.put(' ');
}

void put_line(LineWriter& out, const Event& event) {
  const auto all = layouts();
  const auto layout = std::find_if(all.begin(), all.end(), [&event](const Layout& candidate) {
    return candidate.event == event.name();
  });
  put_local_time(out, event.time());
  out.put(' ');
  const std::size_t mark_at = out.size();
  if (layout != all.end()) render(out, event, layout->mark);
  put_padded(out, mark_at, 3);
  const std::size_t name_at = out.size();
  out.put_escaped(event.name(), true);
  put_padded(out, name_at, 20);
  out.put(' ');
  if (layout != all.end()) {
    render(out, event, layout->text);
  } else {
    render_all(out, event);
  }
}

}  // namespace

std::size_t encode_text(const Event& event, std::uint64_t /*seq*/, const Context& /*context*/,
                        std::span<char> line) {
  constexpr std::string_view kCut = "...\n";
  if (line.size() < kCut.size()) return 0;
  LineWriter out(line.first(line.size() - kCut.size()));
  put_line(out, event);
  if (!out.overflow()) {
    line[out.size()] = '\n';
    return out.size() + 1;
  }
  std::size_t end = out.size();
  while (end > 0 && (static_cast<unsigned char>(line[end - 1]) & 0xC0) == 0x80) --end;
  // What is left of a character that was cut: its first byte.
  if (end > 0 && static_cast<unsigned char>(line[end - 1]) >= 0xC0) --end;
  std::copy(kCut.begin(), kCut.end(), line.begin() + static_cast<std::ptrdiff_t>(end));
  return end + kCut.size();
}

}  // namespace oomdrill::telemetry
