#pragma once

#include <csignal>

namespace oomdrill::simulator {

/// SIGTERM and SIGINT set the returned flag to their number; the second of them exits at once.
/// SIGPIPE is ignored: a reader that goes away does not end the leak.
const volatile std::sig_atomic_t& catch_signals();

}  // namespace oomdrill::simulator
