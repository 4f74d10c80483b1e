#pragma once

#include <ctime>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "expose/exporter.h"
#include "monitor.h"
#include "pressure_trigger.h"
#include "source/source.h"
#include "supervise/signals.h"
#include "supervise/supervisor.h"

namespace oomdrill::probe {

struct LoopEnd {
  std::optional<Judgement> judgement;  ///< on the workload, where there was one
  std::string_view reason;             ///< as probe.stopped tells it
};

/// What is left until `deadline`, for ppoll().
timespec until(Nanoseconds deadline, const Clock& clock);

/// One thread, one wait for everything: signals, the source's descriptor, the next look. Ends with
/// the workload; without one at a request to stop, or with what is watched.
LoopEnd run_loop(Monitor& monitor, Supervisor* supervisor, const Source& source,
                 PressureTrigger& pressure, const SignalInbox& signals, Exporter& exporter,
                 const Clock& clock);

}  // namespace oomdrill::probe
