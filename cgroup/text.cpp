#include "text.h"

#include <charconv>

namespace oomdrill::cgroup {

std::optional<std::string_view> Lines::next() {
  if (rest_.empty()) return std::nullopt;
  ++number_;
  return cut(rest_, '\n');
}

std::string_view cut(std::string_view& rest, char separator) {
  const std::size_t at = rest.find(separator);
  const std::string_view head = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
  return head;
}

bool list_has(std::string_view list, std::string_view item) {
  while (!list.empty()) {
    if (cut(list, ',') == item) return true;
  }
  return false;
}

std::optional<std::uint64_t> to_number(std::string_view text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, status] = std::from_chars(text.data(), end, value);
  if (status != std::errc{} || rest != end) return std::nullopt;
  return value;
}

tl::unexpected<Error> fail_line(std::string_view where, std::size_t line, std::string_view text,
                                std::string_view what) {
  constexpr std::size_t kMost = 60;
  std::string shown(text.substr(0, kMost));
  for (char& c : shown) {
    if (c < ' ' || c > '~') c = '?';
  }
  return fail(fmt::format("'{}{}' {}", shown, text.size() > kMost ? "..." : "", what),
              fmt::format("{}:{}", where, line));
}

Result<std::uint64_t> parse_number(std::string_view text, std::string_view where) {
  std::string_view rest = text;
  const std::string_view line = cut(rest, '\n');
  const auto number = to_number(line);
  if (!number || !rest.empty()) return fail_line(where, 1, text, "is no number");
  return *number;
}

}  // namespace oomdrill::cgroup
