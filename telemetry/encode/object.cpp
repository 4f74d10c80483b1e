#include "encode/object.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace oomdrill::telemetry {
namespace {

constexpr std::string_view kTruncated = ",\"truncated\":true";
constexpr std::string_view kEnd = "}\n";

void put_value(LineWriter& out, const Event::Value& value) {
  std::visit(
      [&out](const auto& v) {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, std::string_view>) {
          put_text(out, v);
        } else if constexpr (std::is_same_v<T, bool>) {
          out.put(v ? "true" : "false");
        } else if constexpr (std::is_same_v<T, double>) {
          if (std::isfinite(v)) {
            out.put(v);
          } else {
            out.put("null");
          }
        } else if constexpr (std::is_same_v<T, Event::Open>) {
          out.put('{');
        } else if constexpr (!std::is_same_v<T, Event::Close>) {
          out.put(v);
        }
      },
      value);
}

/// One line under construction; `whole` turns false where something did not fit.
struct Line {
  LineWriter out;
  bool whole = true;

  /// Keeps what `write` appends if it ends within `limit`, else nothing of it.
  template <class Write>
  bool keep(std::size_t limit, Write write) {
    const auto before = out.mark();
    write(out);
    if (!out.overflow() && out.size() <= limit) return true;
    out.rewind(before);
    whole = false;
    return false;
  }
};

void put_head(Line& line, std::size_t limit, const Event& event, std::uint64_t seq) {
  char time[25];
  format_time(event.time(), time);
  line.keep(limit, [&](LineWriter& out) {
    put_name(out, "event");
    put_text(out, event.name());
  });
  line.keep(limit, [&](LineWriter& out) {
    put_name(out, "time");
    put_text(out, std::string_view(time, 24));
  });
  line.keep(limit, [&](LineWriter& out) {
    put_name(out, "seq");
    out.put(seq);
  });
}

/// Returns how many of the fields, from the first on, were kept.
std::size_t put_fields(Line& line, std::size_t limit, std::span<const Event::Field> fields) {
  std::size_t depth = 0;
  std::size_t kept = 0;
  for (; kept < fields.size(); ++kept) {
    const Event::Field& field = fields[kept];
    if (std::holds_alternative<Event::Close>(field.value)) {
      if (depth == 0) continue;
      line.out.put('}');  // its room was kept when the object was opened
      --depth;
      continue;
    }
    const bool opens = std::holds_alternative<Event::Open>(field.value);
    const std::size_t closers = depth + (opens ? 1 : 0);
    const bool fits = limit > closers && line.keep(limit - closers, [&](LineWriter& out) {
      put_name(out, field.name);
      put_value(out, field.value);
    });
    if (!fits) {
      line.whole = false;
      break;
    }
    depth = closers;
  }
  for (; depth > 0; --depth) line.out.put('}');
  return kept;
}

void put_context(Line& line, std::size_t limit, const Context& context) {
  for (const auto& member : context.members) {
    line.keep(limit, [&member](LineWriter& out) {
      put_name(out, member.first);
      put_text(out, member.second);
    });
  }
}

/// Room for the members behind the fields, were all fields kept.
std::size_t measure_tail(const Event& event, const Context& context, WriteMore more) {
  Line line;
  put_context(line, std::numeric_limits<std::size_t>::max(), context);
  if (more != nullptr) more(line.out, event, event.fields().size(), context);
  return line.out.size();
}

}  // namespace

void put_name(LineWriter& out, std::string_view name) {
  // Within an object that was just opened; a text value cannot end in a brace, it ends in a quote.
  if (out.last() != '{') out.put(',');
  put_text(out, name);
  out.put(':');
}

void put_text(LineWriter& out, std::string_view text) {
  out.put('"');
  out.put_escaped(text);
  out.put('"');
}

std::size_t encode_object(const Event& event, std::uint64_t seq, const Context& context,
                          std::span<char> buffer, WriteMore more) {
  if (buffer.size() < kTruncated.size() + kEnd.size()) return 0;  // "{" for the comma
  const auto build = [&](bool truncated, std::size_t tail, Line& line) {
    const std::size_t limit =
        buffer.size() - kEnd.size() - (truncated ? kTruncated.size() : std::size_t{0});
    line.out.put('{');
    put_head(line, limit, event, seq);
    const std::size_t kept = put_fields(line, limit - std::min(limit, tail), event.fields());
    if (truncated) line.out.put(line.out.last() == '{' ? kTruncated.substr(1) : kTruncated);
    const std::size_t rest = buffer.size() - kEnd.size();
    put_context(line, rest, context);
    if (more != nullptr) {
      line.keep(rest, [&](LineWriter& out) { more(out, event, kept, context); });
    }
    line.out.put(kEnd);
  };
  Line line{LineWriter(buffer)};
  build(event.dropped() > 0, 0, line);
  if (!line.whole) {
    // Fields give way first, from the last on, so that a cut line still says whose it is.
    line = Line{LineWriter(buffer)};
    build(true, measure_tail(event, context, more), line);
  }
  return line.out.size();
}

}  // namespace oomdrill::telemetry
