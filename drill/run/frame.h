#pragma once

#include <string>

#include "run/summary.h"

/// The first and the last line of a recording that `oomdrill run` made.
namespace oomdrill::run {

/// drill.started: what is done, and on which scale.
std::string started_line(const Drill& drill, WallTime time);
/// drill.ended: the verdict, which whoever reads the recording later could not reach without the
/// counters outside.
std::string ended_line(const Drill& drill, WallTime time);

}  // namespace oomdrill::run
