#pragma once

#include <string>

namespace oomdrill::test {

/// The folder tests/ of this clone.
std::string tests_folder();
/// tests/fixtures.
std::string fixtures();

}  // namespace oomdrill::test
