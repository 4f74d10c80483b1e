#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ecs/metadata.h"
#include "program.h"
#include "source/source.h"
#include "telemetry/sink.h"

/// What the commands need before they can look: the endpoint's answer, the source, the output.
namespace oomdrill::probe {

/// `cgroup` empty: the own one, with the limits that `task` tells.
Result<std::unique_ptr<Source>> open_source(const Machine& machine, const std::string& cgroup,
                                            const std::optional<ecs::Task>& task);

/// The memory cgroup that process `pid` is in. One in another container is reached through its
/// root folder, whose files stay open after its death. `endpoint` are the limits that only the ECS
/// endpoint tells of that container.
Result<std::unique_ptr<Source>> open_process_source(
    const FileRoot& root, pid_t pid, const std::vector<cgroup::LimitCandidate>& endpoint = {});
/// Mount namespace of a process, "mnt:[4026532]"; empty: it has none any more, or is not to be
/// seen.
std::string mounts_of(const FileRoot& root, const std::string& process);
/// Where the files of `pid`'s container are: `root` itself where it sees the same mounts.
FileRoot root_of(const FileRoot& root, pid_t pid);

/// Soft limit of the own container as the endpoint tells it.
cgroup::Bytes reservation_of(const std::optional<ecs::Task>& task);

/// identity::make_context() with the dimensions that the user gave.
telemetry::Context make_context(const std::optional<ecs::Task>& task,
                                const OutputSettings& settings);

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
