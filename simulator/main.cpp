#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "allocator.h"
#include "run.h"
#include "signals.h"

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  const volatile std::sig_atomic_t& stop = oomdrill::simulator::catch_signals();
  oomdrill::simulator::SignalClock clock(stop);
  return oomdrill::simulator::run(
      arguments, {.environment = [](const char* name) { return std::getenv(name); },
                  .variables = ::environ,
                  .clock = &clock,
                  .stop = &stop,
                  .preload = oomdrill::simulator::execute_under});
}
