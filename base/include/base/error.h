#pragma once

#include <fmt/core.h>

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace oomdrill {

/// One failure, as the user reads it: "WHERE: WHAT; REMEDY".
struct Error {
  std::string what;         ///< what was wrong
  std::string where = {};   ///< a path with its line, an option, a URL; empty where none applies
  std::string remedy = {};  ///< what to do about it; empty where the caller knows better
  int errnum = 0;           ///< the errno behind it, 0 where there is none

  /// Puts the outer place before the inner one: "outer: where".
  [[nodiscard]] Error within(const std::string& outer) && {
    where = where.empty() ? outer : outer + ": " + where;
    return std::move(*this);
  }

  /// One line without a newline.
  [[nodiscard]] std::string line() const {
    std::string text = where.empty() ? what : where + ": " + what;
    if (!remedy.empty()) text += "; " + remedy;
    return text;
  }
};

template <class T>
using Result = tl::expected<T, Error>;

/// `return fail("…")` from any function that returns a Result.
inline tl::unexpected<Error> fail(std::string what, std::string where = {},
                                  std::string remedy = {}) {
  return tl::unexpected<Error>(Error{std::move(what), std::move(where), std::move(remedy)});
}

inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

/// The same for a failed system call; reads errno at once.
tl::unexpected<Error> fail_errno(const std::string& action, std::string where,
                                 std::string remedy = {});

}  // namespace oomdrill
