#pragma once

#include "memory/memory.h"

/// One descriptor a kind, each at the end of its own file; the table is in kinds.cpp.
namespace oomdrill::memory {

extern const Kind kAnon;
extern const Kind kHeap;

}  // namespace oomdrill::memory
