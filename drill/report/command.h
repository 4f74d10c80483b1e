#pragma once

#include "base/options.h"
#include "subcommand.h"

namespace oomdrill::report {

extern const Command kReportCommand;

drill::ExitCode run_report(const Arguments& arguments, drill::Streams& streams);

}  // namespace oomdrill::report
