#include "tree.h"

namespace oomdrill::test {

std::string tests_folder() { return OOMDRILL_TESTS; }
std::string fixtures() { return tests_folder() + "/fixtures"; }

}  // namespace oomdrill::test
