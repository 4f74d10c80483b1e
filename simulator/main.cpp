#include <cstdlib>
#include <string>
#include <vector>

#include "run.h"
#include "signals.h"

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  oomdrill::SystemClock clock;
  return oomdrill::simulator::run(
      arguments, {.environment = [](const char* name) { return std::getenv(name); },
                  .clock = &clock,
                  .stop = &oomdrill::simulator::catch_signals()});
}
