#pragma once

#include "base/options.h"
#include "subcommand.h"

namespace oomdrill::rightsize {

extern const Command kRightsizeCommand;

drill::ExitCode run_rightsize(const Arguments& arguments, drill::Streams& streams);

}  // namespace oomdrill::rightsize
