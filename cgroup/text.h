#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

/// What every parser of kernel text shares. Nothing here allocates unless it fails.
namespace oomdrill::cgroup {

/// The lines of a text, without their newline; the last one may lack it.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}
  std::optional<std::string_view> next();
  /// Of the line that next() gave, counted from 1.
  [[nodiscard]] std::size_t number() const { return number_; }

 private:
  std::string_view rest_;
  std::size_t number_ = 0;
};

/// Cuts the text up to `separator` off `rest`; all of it where there is none.
std::string_view cut(std::string_view& rest, char separator);

/// Whether `list` ("rw,cpu,memory") names `item`.
bool list_has(std::string_view list, std::string_view item);

/// Nothing but decimal digits, within 64 bits.
std::optional<std::uint64_t> to_number(std::string_view text);

/// "PATH:LINE: 'TEXT' WHAT", with the text cut short and made printable.
tl::unexpected<Error> fail_line(std::string_view where, std::size_t line, std::string_view text,
                                std::string_view what);

/// A file of one number.
Result<std::uint64_t> parse_number(std::string_view text, std::string_view where);

template <class Record>
struct Field {
  std::string_view key;
  std::optional<std::uint64_t> Record::*member;
};

/// The field called `key`, from `hint` on and around: kernels write their keys in one order, so
/// the next line's field stands next. Moves `hint` behind it. nullptr: there is none.
template <class Record>
const Field<Record>* find_field(std::span<const Field<Record>> fields, std::string_view key,
                                std::size_t& hint) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::size_t at = hint + i < fields.size() ? hint + i : hint + i - fields.size();
    if (fields[at].key != key) continue;
    hint = at + 1 < fields.size() ? at + 1 : 0;
    return &fields[at];
  }
  return nullptr;
}

/// Files of "key value" lines. Keys that `fields` does not have are passed over whatever stands
/// behind them: kernels add keys. A key that is missing leaves its member alone.
template <class Record>
Result<void> parse_keyed(std::string_view text, std::string_view where,
                         std::span<const Field<Record>> fields, Record& out) {
  Lines lines(text);
  std::size_t hint = 0;
  while (const auto line = lines.next()) {
    std::string_view value = *line;
    const std::string_view key = cut(value, ' ');
    const Field<Record>* const field = find_field(fields, key, hint);
    if (field == nullptr) continue;
    const auto number = to_number(value);
    if (!number) return fail_line(where, lines.number(), *line, "has no number");
    out.*(field->member) = number;
  }
  return {};
}

}  // namespace oomdrill::cgroup
