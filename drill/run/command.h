#pragma once

#include "base/options.h"
#include "subcommand.h"

namespace oomdrill::run {

extern const Command kRunCommand;

drill::ExitCode run_drill(const Arguments& arguments, drill::Streams& streams);

}  // namespace oomdrill::run
