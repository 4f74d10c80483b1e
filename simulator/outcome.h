#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

#include "base/error.h"
#include "exit_codes.h"

namespace oomdrill::simulator {

/// Why a run does not begin, or did not go on, and how leaksim exits then.
struct Failure {
  ExitCode code;
  Error error;
};
template <class T>
using Outcome = tl::expected<T, Failure>;

inline tl::unexpected<Failure> refuse(ExitCode code, Error error) {
  return tl::unexpected<Failure>(Failure{code, std::move(error)});
}

/// All of `text`, or as much as `fd` takes: 0, or the errno of what could not be written.
int print(int fd, std::string_view text);
/// How leaksim exits after an answer that ended with print()'s `error`, which it tells on `err`: a
/// reader that has gone had what it wanted.
ExitCode answered(int error, int err);
/// An answer on `out`, whole.
ExitCode answer(int out, int err, std::string_view text);
/// One line of leaksim's on `fd`, stderr.
void complain(int fd, const std::string& line);

}  // namespace oomdrill::simulator
