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
#include "supervise/signals.h"
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

/// Error: the exit code; the reason is told on standard error.
tl::expected<SignalInbox, int> open_signals(SignalInbox::Receive receive, const Machine& machine);

/// Everything that can still be written. What cannot is told on standard error: false.
bool finish(telemetry::Emitter& emitter, const Output& output, const OutputSettings& settings,
            const Machine& machine);

/// Of a watch of several containers: one stream of numbered lines for all their monitors, with what
/// is said of no container but of all.
class SharedStream {
 public:
  SharedStream(const OutputSettings& settings, const Machine& machine, const Prepared& prepared);
  SharedStream(const SharedStream&) = delete;
  SharedStream& operator=(const SharedStream&) = delete;

  /// Locks the memory, and tells what went wrong so far. Whether it is locked.
  bool start();
  [[nodiscard]] telemetry::Emitter emitter(telemetry::Context context);
  void warn(std::string_view message);
  /// The end of one monitor's lines.
  void finish(telemetry::Emitter& emitter);
  /// The end of all; the exit code.
  [[nodiscard]] int end();

 private:
  const OutputSettings* settings_;
  const Machine* machine_;
  const Prepared* prepared_;
  std::uint64_t numbers_ = 0;
  telemetry::Emitter own_;
  bool written_ = true;
};

}  // namespace oomdrill::probe
