#pragma once

#include <memory>
#include <optional>
#include <string>

#include "ecs/metadata.h"
#include "program.h"
#include "source/source.h"
#include "telemetry/sink.h"

/// What the commands need before they can look: the endpoint's answer, the source, the output.
namespace oomdrill::probe {

/// `cgroup` empty: the own one, with the limits that `task` tells.
Result<std::unique_ptr<Source>> open_source(const Machine& machine, const std::string& cgroup,
                                            const std::optional<ecs::Task>& task);

/// Soft limit of the own container as the endpoint tells it.
cgroup::Bytes reservation_of(const std::optional<ecs::Task>& task);

struct Output {
  telemetry::Encoder encoder;
  telemetry::Context context;
  std::unique_ptr<telemetry::Sink> sink;
};

struct OutputFailure {
  ExitCode code;
  Error error;
};

/// `patience`: how long a line waits for a reader that pauses.
tl::expected<Output, OutputFailure> open_output(const Machine& machine,
                                                const OutputSettings& settings,
                                                const std::optional<ecs::Task>& task,
                                                Nanoseconds patience);

}  // namespace oomdrill::probe
