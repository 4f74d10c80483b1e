#pragma once

#include "plan/plan.h"

/// One descriptor a pattern, each at the end of its own file; the table is in patterns.cpp.
namespace oomdrill::plan {

extern const Pattern kLinear;
extern const Pattern kBurst;
extern const Pattern kFragment;

}  // namespace oomdrill::plan
