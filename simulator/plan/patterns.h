#pragma once

#include "plan/plan.h"

/// One descriptor a pattern, each at the end of its own file; the table is in patterns.cpp.
namespace oomdrill::plan {

extern const Pattern kLinear;
extern const Pattern kBurst;
extern const Pattern kStaircase;
extern const Pattern kExponential;
extern const Pattern kSawtooth;
extern const Pattern kCacheFill;
extern const Pattern kRandomWalk;
extern const Pattern kReplay;
extern const Pattern kHold;
extern const Pattern kFragment;
extern const Pattern kComb;
extern const Pattern kShift;
extern const Pattern kLru;

}  // namespace oomdrill::plan
