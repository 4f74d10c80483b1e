#include "signals.h"

#include <unistd.h>

namespace oomdrill::simulator {
namespace {

volatile std::sig_atomic_t caught = 0;

void handle(int signal) {
  if (caught != 0) ::_exit(128 + signal);
  caught = signal;
}

}  // namespace

const volatile std::sig_atomic_t& catch_signals() {
  struct sigaction action {};
  action.sa_handler = handle;  // without SA_RESTART: a sleep ends early
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, nullptr);
  return caught;
}

}  // namespace oomdrill::simulator
