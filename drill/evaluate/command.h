#pragma once

#include "base/options.h"
#include "subcommand.h"

namespace oomdrill::evaluate {

extern const Command kEvaluateCommand;

drill::ExitCode run_evaluate(const Arguments& arguments, drill::Streams& streams);

}  // namespace oomdrill::evaluate
