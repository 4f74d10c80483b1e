#pragma once

#include <csignal>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/file.h"
#include "base/options.h"
#include "memory/memory.h"

namespace oomdrill::simulator {

/// All that leaksim takes from outside; a test hands in its own.
struct Machine {
  FileRoot root = {};
  Environment environment = {};
  const char* const* variables = nullptr;  ///< environ, where misspelt ones are looked for
  Clock* clock = nullptr;
  int out = 1;
  int err = 2;
  const volatile std::sig_atomic_t* stop = nullptr;  ///< the signal that came, or 0
  std::span<const memory::Kind> kinds = memory::kinds();
  /// Executes the program anew under LD_PRELOAD; returns only where that fails.
  Error (*preload)(const std::string& library) = nullptr;
};

/// The program; `arguments` without its name. Returns an ExitCode.
int run(std::span<const std::string> arguments, const Machine& machine);

}  // namespace oomdrill::simulator
