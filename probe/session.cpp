#include "session.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "identity/identity.h"
#include "memory_lock.h"

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

tl::expected<SignalInbox, int> open_signals(SignalInbox::Receive receive, const Machine& machine) {
  auto signals = SignalInbox::open(receive);
  if (signals) return std::move(*signals);
  complain(machine, signals.error().line());
  return tl::unexpected<int>(code(ExitCode::internal_error));
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

SharedStream::SharedStream(const OutputSettings& settings, const Machine& machine,
                           const Prepared& prepared)
    : settings_(&settings),
      machine_(&machine),
      prepared_(&prepared),
      own_(emitter(prepared.output.context)) {}

bool SharedStream::start() {
  const std::string unlocked = lock_memory();
  for (const std::string& warning : {unlocked, prepared_->ecs_warning}) {
    if (!warning.empty()) warn(warning);
  }
  return unlocked.empty();
}

telemetry::Emitter SharedStream::emitter(telemetry::Context context) {
  return {prepared_->output.encoder, std::move(context), *prepared_->output.sink, kHeldLines,
          &numbers_};
}

void SharedStream::warn(std::string_view message) {
  own_.emit_important(
      telemetry::Event("probe.warning", machine_->clock->wall()).text("message", message));
}

void SharedStream::finish(telemetry::Emitter& emitter) {
  written_ = probe::finish(emitter, prepared_->output, *settings_, *machine_) && written_;
}

int SharedStream::end() {
  finish(own_);
  return code(written_ ? ExitCode::success : ExitCode::write_error);
}

}  // namespace oomdrill::probe
