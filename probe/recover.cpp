#include <fcntl.h>

#include "program.h"
#include "recorder/ring_file.h"

namespace oomdrill::probe {

int recover(const RecoverSettings& settings, const Machine& machine) {
  const auto bytes = read_file(settings.path, RingFile::kMostSize);
  if (!bytes) {
    complain(machine, bytes.error().line());
    return code(ExitCode::unavailable);
  }
  const auto lines = read_ring(*bytes, settings.path);
  if (!lines) {
    complain(machine, lines.error().line());
    return code(ExitCode::unavailable);
  }
  for (const std::string& line : *lines) {
    if (!print(machine.out, line)) {
      complain(machine, "standard output cannot be written");
      return code(ExitCode::write_error);
    }
  }
  return code(ExitCode::success);
}

}  // namespace oomdrill::probe
