#pragma once

#include "base/options.h"
#include "subcommand.h"

namespace oomdrill::trend {

extern const Command kTrendCommand;

drill::ExitCode run_trend(const Arguments& arguments, drill::Streams& streams);

}  // namespace oomdrill::trend
