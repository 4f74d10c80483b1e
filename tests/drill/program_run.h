#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "subcommand.h"

namespace oomdrill::drill {

struct Ran {
  ExitCode code;
  std::string out;
  std::string err;
};

/// oomdrill with an empty environment.
inline Ran run(const std::vector<std::string>& arguments) {
  std::ostringstream out;
  std::ostringstream err;
  Streams streams{out, err};
  const ExitCode code = run_program(
      arguments, [](const char*) -> const char* { return nullptr; }, streams);
  return {code, out.str(), err.str()};
}

}  // namespace oomdrill::drill
