#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "program.h"

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  const oomdrill::SystemClock clock;
  return oomdrill::probe::run_program(
      arguments, {.root = {},
                  .environment = [](const char* name) { return std::getenv(name); },
                  .variables = ::environ,
                  .clock = &clock});
}
