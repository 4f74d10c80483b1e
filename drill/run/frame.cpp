#include "run/frame.h"

#include <algorithm>
#include <array>

#include "run/process.h"
#include "telemetry/encoder.h"

namespace oomdrill::run {
namespace {

std::string line_of(const telemetry::Event& event, std::uint64_t seq) {
  const auto json = telemetry::choose_encoder("json", false, false);
  std::array<char, telemetry::kMaxLine> line{};
  return {line.data(), json->encode(event, seq, {}, line)};
}

}  // namespace

std::string started_line(const Drill& drill, WallTime time) {
  telemetry::Event event("drill.started", time);
  if (!drill.name.empty()) event.text("drill", drill.name);
  event.text("command", drill.command)
      .text("engine", drill.engine)
      .text("where", drill.where)
      .number("memory_bytes", drill.memory_bytes)
      .real("stretch", drill.stretch)
      .text("version", OOMDRILL_VERSION);
  return line_of(event, 1);
}

std::string ended_line(const Drill& drill, WallTime time) {
  telemetry::Event event("drill.ended", time);
  event.text("verdict", drill.verdict.outcome)
      .text("confidence", name(drill.verdict.confidence))
      .text("why", drill.verdict.why)
      .number("kills", drill.outside.oom_kills())
      .boolean("timed_out", drill.outside.timed_out);
  if (drill.outside.status) {
    event.number("exit_code", static_cast<std::uint64_t>(exit_code_of(*drill.outside.status)));
  }
  std::string disagreements;
  for (const std::string& each : drill.verdict.disagreements) {
    disagreements += (disagreements.empty() ? "" : "; ") + each;
  }
  if (!disagreements.empty()) event.text("disagreement", disagreements);
  return line_of(event, 2);
}

}  // namespace oomdrill::run
