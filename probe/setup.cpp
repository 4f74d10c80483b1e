#include "setup.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "identity/identity.h"

namespace oomdrill::probe {

Result<std::unique_ptr<Source>> open_source(const Machine& machine, const std::string& cgroup,
                                            const std::optional<ecs::Task>& task) {
  const auto location = cgroup.empty() ? cgroup::locate(machine.root)
                                       : cgroup::locate_directory(machine.root, cgroup);
  if (!location) {
    Error error = location.error();
    if (error.remedy.empty() && !cgroup.empty()) {
      error.remedy = "name the folder of a memory cgroup, such as one below /sys/fs/cgroup";
    }
    return fail(std::move(error));
  }
  std::vector<cgroup::LimitCandidate> endpoint;
  // The endpoint speaks of the container that asks, which a given cgroup need not be.
  if (task && cgroup.empty()) identity::add_limits(*task, endpoint);
  return open_cgroup(machine.root, *location, std::move(endpoint));
}

std::string mounts_of(const FileRoot& root, const std::string& process) {
  std::array<char, 64> text{};
  const auto n =
      ::readlink((root / ("/proc/" + process + "/ns/mnt")).c_str(), text.data(), text.size());
  return std::string(text.data(), static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
}

FileRoot root_of(const FileRoot& root, pid_t pid) {
  const std::string process = std::to_string(pid);
  const std::string theirs = mounts_of(root, process);
  if (theirs.empty() || theirs == mounts_of(root, "self")) return root;
  return FileRoot(root / ("/proc/" + process + "/root"));
}

Result<std::unique_ptr<Source>> open_process_source(
    const FileRoot& root, pid_t pid, const std::vector<cgroup::LimitCandidate>& endpoint) {
  const std::string process = std::to_string(pid);
  if (::access((root / ("/proc/" + process)).c_str(), F_OK) != 0) {
    return fail("there is no process " + process, {},
                "give a pid of this pid namespace (share one: pidMode task, docker run --pid)");
  }
  const FileRoot theirs = root_of(root, pid);
  if (theirs / "/" == root / "/") {
    const auto location = cgroup::locate(root, process);
    if (!location) return fail(location.error());
    return open_cgroup(root, *location, endpoint);
  }
  // A container's own mount is rooted at its cgroup (facts.md, 1).
  Error last;
  for (const char* folder : {"/sys/fs/cgroup/memory", "/sys/fs/cgroup"}) {
    const auto location = cgroup::locate_directory(theirs, folder);
    if (location) return open_cgroup(theirs, *location, endpoint);
    if (last.what.empty()) last = location.error();
  }
  if (last.errnum == EACCES || last.errnum == EPERM) {
    last.remedy = "run as the same user, with no fewer capabilities";
  }
  return fail(std::move(last));
}

cgroup::Bytes reservation_of(const std::optional<ecs::Task>& task) {
  return task && task->self ? task->self->memory_reservation : std::nullopt;
}

telemetry::Context make_context(const std::optional<ecs::Task>& task,
                                const OutputSettings& settings) {
  telemetry::Context context = identity::make_context(task, settings.metric_namespace);
  if (!settings.dimensions.empty()) context.dimension_sets.push_back(settings.dimensions);
  return context;
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

  Output out{*encoder, make_context(task, settings), nullptr};
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
