#pragma once

#include "base/options.h"
#include "subcommand.h"

namespace oomdrill::predict {

extern const Command kPredictCommand;

drill::ExitCode run_predict(const Arguments& arguments, drill::Streams& streams);

}  // namespace oomdrill::predict
