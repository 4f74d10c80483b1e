#pragma once

#include "memory/memory.h"

/// One descriptor a kind, each at the end of its own file; the table is in kinds.cpp.
namespace oomdrill::memory {

extern const Kind kAnon;
extern const Kind kHeap;
extern const Kind kStack;
extern const Kind kMemfd;
extern const Kind kTmpfs;
extern const Kind kFile;
extern const Kind kShm;
extern const Kind kKernel;
extern const Kind kHugePage;
extern const Kind kFork;
extern const Kind kUntouched;

}  // namespace oomdrill::memory
