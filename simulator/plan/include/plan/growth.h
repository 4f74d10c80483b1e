#pragma once

#include <string>

#include "base/error.h"
#include "base/options.h"

namespace oomdrill::plan {

struct Growth {
  std::string pattern;  ///< as make_plan() takes it; it says all but the seed
  std::string origin;   ///< "--pattern", "--phase" or a variable, for errors
};

/// Of --pattern, or of each --phase in sequence, with --rate written into what takes one and does
/// not set it. Error: what parse_pattern() refuses, both at once, or a rate that none takes.
Result<Growth> read_growth(const Arguments& arguments);

}  // namespace oomdrill::plan
