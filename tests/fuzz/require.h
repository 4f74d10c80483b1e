#pragma once

#include <cstdio>
#include <cstdlib>

/// For the properties that a fuzz target states: a build without assertions must check them too.
#define OOMDRILL_REQUIRE(condition)                                                       \
  do {                                                                                    \
    if (!(condition)) {                                                                   \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                       \
    }                                                                                     \
  } while (false)
