#include "base/error.h"

#include <cerrno>
#include <cstring>

namespace oomdrill {

tl::unexpected<Error> fail_errno(const std::string& action, std::string where, std::string remedy) {
  const int saved = errno;
  return tl::unexpected<Error>(
      Error{action + ": " + std::strerror(saved), std::move(where), std::move(remedy), saved});
}

}  // namespace oomdrill
