#include "session.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "identity/identity.h"

namespace oomdrill::probe {
namespace {

/// A reader of standard output that pauses must not hold up signals and looks.
constexpr Nanoseconds kPatience = std::chrono::milliseconds(20);
/// With nothing else left to do, the verdict may wait longer.
constexpr Nanoseconds kLastPatience = std::chrono::seconds(2);

std::string describe_loss(int error) {
  switch (error) {
    case ETIMEDOUT:
      return "nobody reads it; read it, or give --output a file";
    case EPIPE:
      return "its reader is gone; keep it, or give --output a file";
    case ENOSPC:
    case EDQUOT:
      return std::string(std::strerror(error)) + "; free space there, or name another --output";
    default:
      return std::string(std::strerror(error)) + "; name another --output";
  }
}

}  // namespace

void tell_warning(telemetry::Emitter& emitter, const Clock& clock, std::string_view message) {
  emitter.emit_important(telemetry::Event("probe.warning", clock.wall()).text("message", message));
}

bool finish(telemetry::Emitter& emitter, const Output& output, const OutputSettings& settings,
            const Machine& machine) {
  const Nanoseconds deadline = machine.clock->now() + kLastPatience;
  for (;;) {
    const Nanoseconds before = machine.clock->now();
    if (emitter.flush() || before >= deadline) break;
    // It failed at once instead of waiting for a reader: it will not get better.
    if (machine.clock->now() - before < kPatience / 2) break;
  }
  const auto lost = emitter.dropped() + emitter.held();
  if (lost == 0) return true;
  complain(machine,
           fmt::format("{}: {} of {} events could not be written: {}",
                       settings.path == "-" ? "standard output" : settings.path, lost,
                       lost + emitter.emitted(), describe_loss(output.sink->last_error())));
  return false;
}

tl::expected<Prepared, int> prepare(const WatchSettings& settings, const Machine& machine) {
  Prepared out;
  out.task = identity::ask_endpoint(machine.environment, settings.ecs_timeout, &out.ecs_warning);
  auto output = open_output(machine, settings.output, out.task, kPatience);
  if (!output) {
    complain(machine, output.error().error.line());
    return tl::unexpected<int>(code(output.error().code));
  }
  out.output = std::move(*output);
  if (!settings.recorder.empty()) {
    auto ring = RingFile::open(settings.recorder, settings.recorder_bytes);
    if (!ring) {
      complain(machine, Error(ring.error()).within("--recorder").line());
      return tl::unexpected<int>(code(ExitCode::cannot_create));
    }
    out.ring = std::make_unique<RingFile>(std::move(*ring));
    out.recorder = std::make_unique<telemetry::Emitter>(
        *telemetry::choose_encoder("json", false, false), out.output.context, *out.ring, 0);
  }
  if (settings.prometheus) {
    auto exporter = Exporter::open(*settings.prometheus, settings.policy.interval);
    if (!exporter) {
      complain(machine, Error(exporter.error()).within("--prometheus").line());
      return tl::unexpected<int>(code(ExitCode::cannot_create));
    }
    out.exporter = std::move(*exporter);
  }
  return out;
}

}  // namespace oomdrill::probe
