#pragma once

#include <span>
#include <string>

#include "base/clock.h"
#include "base/file.h"
#include "base/options.h"
#include "exit_codes.h"
#include "options.h"

namespace oomdrill::probe {

/// What the program runs on; a test brings its own.
struct Machine {
  FileRoot root;
  Environment environment;
  const char* const* variables = nullptr;  ///< environ, where misspelt ones are looked for
  const Clock* clock;
  int out = 1;
  int err = 2;
};

/// The whole program: `arguments` without its name. Returns the exit code.
int run_program(std::span<const std::string> arguments, const Machine& machine);

int run(const RunSettings& settings, const Machine& machine);
int watch(const WatchSettings& settings, const Machine& machine);
int watch_endpoint(const WatchSettings& settings, const Machine& machine);
int watch_siblings(const WatchSettings& settings, const Machine& machine);
int snapshot(const SnapshotSettings& settings, const Machine& machine);
int doctor(const DoctorSettings& settings, const Machine& machine);
int recover(const RecoverSettings& settings, const Machine& machine);

/// One line to standard error, "oomprobe: …".
void complain(const Machine& machine, const std::string& line);
/// False: it could not be written.
bool print(int fd, std::string_view text);

inline int code(ExitCode value) { return static_cast<int>(value); }

}  // namespace oomdrill::probe
