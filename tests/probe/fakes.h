#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "monitor.h"
#include "readings.h"
#include "telemetry/encoder.h"

namespace oomdrill::probe::fake {

/// Answers with `next`, or with `error`.
class FakeSource final : public Source {
 public:
  FakeSource() {
    next = reading_at({}, 10);
    next.sample.own.oom_kill = 0;
    next.sample.peak = 10 * kMiB;
    next.host_oom_kills = 0;
    next.host_available = 4096 * kMiB;
    subject_value.location.emplace();
    subject_value.location->version = cgroup::Version::v1;
    subject_value.location->directory = "/sys/fs/cgroup/memory/x";
    subject_value.limit.bytes = 100 * kMiB;
    subject_value.limit.source = cgroup::LimitSource::own;
    subject_value.limit.considered = {{cgroup::LimitSource::own, 100 * kMiB, "/own"},
                                      {cgroup::LimitSource::host, 8192 * kMiB, "/proc/meminfo"}};
    subject_value.host_bytes = 8192 * kMiB;
  }
  Result<void> read(Reading& reading) override {
    if (error.errnum != 0) return fail(error);
    const auto at = reading.at;
    reading = next;
    reading.at = at;
    return {};
  }
  Result<void> read_counters(Reading& reading) override {
    if (error.errnum != 0) return fail(error);
    reading.sample.own = next.sample.own;
    reading.sample.hierarchical = next.sample.hierarchical;
    reading.host_oom_kills = next.host_oom_kills;
    return {};
  }
  [[nodiscard]] int events_fd() const override { return -1; }
  [[nodiscard]] const Subject& subject() const override { return subject_value; }

  void kill(std::uint64_t kills = 1) {
    next.sample.own.oom_kill = *next.sample.own.oom_kill + kills;
    next.host_oom_kills = *next.host_oom_kills + kills;
  }

  Reading next;
  Error error;
  Subject subject_value;
};

class FakeWorkload final : public Workload {
 public:
  [[nodiscard]] pid_t pid() const override { return 42; }
  [[nodiscard]] std::string_view name() const override { return "leak"; }
  [[nodiscard]] bool is_dying() override { return dying; }
  [[nodiscard]] bool stop_requested() const override { return stop; }
  [[nodiscard]] bool killed_by_us() const override { return killed; }

  [[nodiscard]] std::span<const SentSignal> signals() const override { return sent; }

  std::vector<SentSignal> sent;
  bool dying = false;
  bool stop = false;
  bool killed = false;
};

class NullSink final : public telemetry::Sink {
 public:
  bool write(std::span<const char>) override { return true; }
};

/// A monitor over a fake source and a clock that a test moves.
struct Rig {
  explicit Rig(telemetry::Sink& sink, std::string_view format = "json", Policy wanted = {})
      : policy(std::move(wanted)),
        emitter(*telemetry::choose_encoder(format, false, false), {}, sink, 8),
        monitor(source, policy, emitter, clock, std::nullopt) {}

  /// Lets time pass to the next deadlines within `time`, as the loop does.
  void step(Nanoseconds time) {
    const Nanoseconds end = clock.now() + time;
    while (monitor.deadline() <= end) {
      clock.sleep_until(monitor.deadline());
      monitor.tick();
    }
    clock.sleep_until(end);
  }

  FakeSource source;
  Policy policy;
  ManualClock clock;
  telemetry::Emitter emitter;
  Monitor monitor;
};

/// The lines of `text` that are the event `name`.
inline std::vector<std::string> lines_of(std::string_view text, std::string_view name) {
  std::vector<std::string> out;
  const std::string mark = "{\"event\":\"" + std::string(name) + "\"";
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    if (line.starts_with(mark)) out.emplace_back(line);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return out;
}

/// Names of all events in order, the family left out: "started threshold …".
inline std::string names_of(std::string_view text) {
  std::string out;
  constexpr std::string_view kMark = "{\"event\":\"";
  for (auto at = text.find(kMark); at != std::string_view::npos; at = text.find(kMark, at + 1)) {
    const auto name =
        text.substr(at + kMark.size(), text.find('"', at + kMark.size()) - at - kMark.size());
    if (!out.empty()) out += ' ';
    out += name;
  }
  return out;
}

inline bool has(std::string_view line, std::string_view part) {
  return line.find(part) != std::string_view::npos;
}

}  // namespace oomdrill::probe::fake
