#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string_view>

namespace oomdrill::test {

inline bool in_ci() {
  const char* value = std::getenv("CI");
  return value != nullptr && std::string_view(value) == "true";
}

}  // namespace oomdrill::test

/// For a test that needs a machine of a certain kind: skipped with its reason elsewhere, a failure
/// in CI, whose machine is of that kind. Ends the test; use it in the test's own body.
#define OOMDRILL_REQUIRE(condition, reason, remedy)                               \
  do {                                                                            \
    if (!(condition)) {                                                           \
      if (::oomdrill::test::in_ci()) {                                            \
        FAIL() << (reason) << "; " << (remedy) << " (a skip is a failure in CI)"; \
      }                                                                           \
      GTEST_SKIP() << (reason) << "; " << (remedy);                               \
    }                                                                             \
  } while (false)
