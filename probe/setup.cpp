#include "setup.h"

#include <unistd.h>

#include <utility>
#include <vector>

#include "identity/identity.h"

namespace oomdrill::probe {

Result<std::unique_ptr<Source>> open_source(const Machine& machine, const std::string& cgroup,
                                            const std::optional<ecs::Task>& task) {
  const auto location = cgroup.empty() ? cgroup::locate(machine.root)
                                       : cgroup::locate_directory(machine.root, cgroup);
  if (!location) return fail(location.error());
  std::vector<cgroup::LimitCandidate> endpoint;
  // The endpoint speaks of the container that asks, which a given cgroup need not be.
  if (task && cgroup.empty()) identity::add_limits(*task, endpoint);
  return open_cgroup(machine.root, *location, std::move(endpoint));
}

cgroup::Bytes reservation_of(const std::optional<ecs::Task>& task) {
  return task && task->self ? task->self->memory_reservation : std::nullopt;
}

tl::expected<Output, OutputFailure> open_output(const Machine& machine,
                                                const OutputSettings& settings,
                                                const std::optional<ecs::Task>& task,
                                                Nanoseconds patience) {
  const auto refuse = [](ExitCode code, Error error) {
    return tl::unexpected<OutputFailure>(OutputFailure{code, std::move(error)});
  };
  const bool to_stdout = settings.path == "-";
  const bool in_ecs = machine.environment(ecs::kEndpointVariable) != nullptr;
  const auto encoder =
      telemetry::choose_encoder(settings.format, to_stdout && ::isatty(machine.out) == 1, in_ecs);
  if (!encoder) return refuse(ExitCode::usage, Error(encoder.error()).within("--format"));

  Output out{*encoder, identity::make_context(task, settings.metric_namespace), nullptr};
  if (const auto valid = telemetry::validate(out.context); !valid) {
    return refuse(ExitCode::usage, valid.error());
  }
  if (to_stdout) {
    out.sink = std::make_unique<telemetry::FdSink>(machine.out, patience);
  } else {
    auto file = telemetry::FileSink::open(settings.path, patience);
    if (!file) return refuse(ExitCode::cannot_create, Error(file.error()).within("--output"));
    out.sink = std::make_unique<telemetry::FileSink>(std::move(*file));
  }
  return out;
}

}  // namespace oomdrill::probe
