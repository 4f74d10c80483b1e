#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/units.h"
#include "ecs/metadata.h"
#include "expose/exporter.h"
#include "recorder/ring_file.h"
#include "setup.h"
#include "telemetry/sink.h"

/// What the commands that watch have in common, from the first question to the last line.
namespace oomdrill::probe {

/// Lines of thresholds, kills and verdicts that wait for a reader; 4 KiB each.
inline constexpr std::size_t kHeldLines = 8;

struct Prepared {
  std::optional<ecs::Task> task;
  std::string ecs_warning;
  Output output;
  std::unique_ptr<RingFile> ring;
  std::unique_ptr<telemetry::Emitter> recorder;
  Exporter exporter;
};

/// Error: the exit code; the reason is told on standard error.
tl::expected<Prepared, int> prepare(const WatchSettings& settings, const Machine& machine);

/// probe.warning of no container but of all.
void tell_warning(telemetry::Emitter& emitter, const Clock& clock, std::string_view message);

/// Everything that can still be written. What cannot is told on standard error: false.
bool finish(telemetry::Emitter& emitter, const Output& output, const OutputSettings& settings,
            const Machine& machine);

}  // namespace oomdrill::probe
