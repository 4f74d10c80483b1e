#include "report.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "version.h"

namespace oomdrill::simulator {
namespace {

constexpr std::size_t kDefaultWidth = 80;

std::size_t terminal_width(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kDefaultWidth;
  return size.ws_col;
}

void add_state(telemetry::Event& event, const State& state) {
  event.real("elapsed_s", to_seconds(state.elapsed))
      .number("live_bytes", state.live)
      .number("allocated_bytes", state.allocated)
      .number("used_bytes", state.used)
      .real("used_percent", state.used_percent())
      .number("limit_bytes", state.limit)
      .number("headroom_bytes", state.headroom())
      .real("requested_bytes_per_s", state.requested_rate)
      .real("achieved_bytes_per_s", state.achieved_rate)
      .number("debt_bytes", state.debt)
      .number("lost_bytes", state.lost);
}

std::string bar(double percent) {
  constexpr std::size_t kCells = 20;
  const auto filled = static_cast<std::size_t>(
      std::lround(std::clamp(percent, 0.0, 100.0) / 100 * static_cast<double>(kCells)));
  return "[" + std::string(filled, '#') + std::string(kCells - filled, '.') + "]";
}

}  // namespace

std::optional<double> State::used_percent() const {
  if (!used || !limit || *limit == 0) return std::nullopt;
  return 100 * static_cast<double>(*used) / static_cast<double>(*limit);
}

std::optional<std::uint64_t> State::headroom() const {
  if (!used || !limit) return std::nullopt;
  return *limit > *used ? *limit - *used : 0;
}

std::optional<double> State::eta_oom() const {
  const auto room = headroom();
  if (!room || !growth || !(*growth > 0)) return std::nullopt;
  return static_cast<double>(*room) / *growth;
}

void Report::started(const Start& start) {
  telemetry::Event event = make("leak.started");
  event.text("pattern", start.pattern)
      .text("kind", start.kind)
      .real("rate_bytes_per_s", start.rate)
      .number("seed", start.seed)
      .text("until", start.until)
      .number("until_bytes", start.until_bytes);
  if (start.until_bytes) event.text("basis", start.basis);
  event.text("then", start.then)
      .number("max_bytes", start.max_bytes)
      .text("cgroup_version", start.cgroup_version)
      .number("limit_bytes", start.limit)
      .text("limit_source", start.limit_source)
      .text("limit_where", start.limit_where)
      .boolean("limit_complete", start.limit_complete)
      .number("used_bytes", start.used)
      .text("content", "unique")
      .text("version", kVersion)
      .integer("pid", ::getpid());
  emitter_->emit_important(event);
}

void Report::progress(const State& state) {
  if (live()) {
    show(live_line(state, false, terminal_width(terminal_)));
    return;
  }
  telemetry::Event event = make("leak.progress");
  add_state(event, state);
  event.real("eta_oom_s", state.eta_oom()).number("rss_bytes", state.rss);
  emitter_->emit(event);
}

void Report::holding(const State& state) {
  if (live() && held_) {
    show(live_line(state, true, terminal_width(terminal_)));
    return;
  }
  held_ = true;
  erase();
  telemetry::Event event = make("leak.holding");
  add_state(event, state);
  event.number("rss_bytes", state.rss)
      .number("target_bytes", state.target)
      .number("reading_bytes", state.reading);
  emitter_->emit(event);
}

void Report::released(const State& state) {
  if (live() && held_) {
    show(live_line(state, true, terminal_width(terminal_)));
    return;
  }
  held_ = true;
  erase();
  telemetry::Event event = make("leak.released");
  add_state(event, state);
  event.number("rss_bytes", state.rss);
  emitter_->emit(event);
}

void Report::target_reached(const State& state, std::string_view reason) {
  erase();
  telemetry::Event event = make("leak.target_reached");
  event.text("reason", reason);
  add_state(event, state);
  event.number("rss_bytes", state.rss);
  emitter_->emit(event);
}

void Report::stopped(const State& state, std::string_view reason, std::string_view signal) {
  erase();
  telemetry::Event event = make("leak.stopped");
  event.text("reason", reason);
  if (!signal.empty()) event.text("signal", signal);
  add_state(event, state);
  event.number("rss_bytes", state.rss).number("events_dropped", emitter_->dropped());
  emitter_->emit_important(event);
}

void Report::worker_killed(const Killed& killed) {
  erase();
  telemetry::Event event = make("leak.worker_killed");
  event.number("worker", killed.number)
      .number("restart", killed.restart)
      .integer("pid", killed.pid)
      .text("signal", "SIGKILL");
  if (killed.oom) event.boolean("oom", *killed.oom);
  event.number("oom_kills", killed.kills)
      .number("used_bytes", killed.used)
      .number("limit_bytes", killed.limit);
  emitter_->emit_important(event);
}

void Report::verdict(Expect expect, Verdict verdict, const Ending& ending, std::uint64_t restarts) {
  erase();
  telemetry::Event event = make("leak.verdict");
  event.text("expect", name(expect))
      .text("judgement", name(verdict))
      .text("outcome", ending.outcome())
      .number("workers_oom_killed", ending.oom_kills)
      .number("others_oom_killed", ending.other_oom_kills)
      .number("restarts", restarts)
      .number("peak_bytes", ending.peak)
      .number("late_growth_bytes", ending.late_growth)
      .number("limit_bytes", ending.limit);
  emitter_->emit_important(event);
}

telemetry::Event Report::make(std::string_view name) const {
  telemetry::Event event(name, clock_->wall());
  event.number("worker", author_.worker).number("restart", author_.restart);
  return event;
}

void Report::show(std::string_view line) {
  std::string text = "\r" + std::string(line);
  if (line.size() < shown_) text.append(shown_ - line.size(), ' ');
  shown_ = line.size();
  sink_->write(std::span<const char>(text));
}

void Report::erase() {
  if (shown_ == 0) return;
  const std::string text = "\r" + std::string(shown_, ' ') + "\r";
  shown_ = 0;
  sink_->write(std::span<const char>(text));
}

std::string live_line(const State& state, bool holding, std::size_t width) {
  std::string line;
  const auto append = [&line, width](const std::string& part, const char* separator = "  ") {
    const std::string text = line.empty() ? part : separator + part;
    // A line as wide as the terminal would wrap on some.
    if (line.size() + text.size() < width) line += text;
  };
  const std::string used = state.used ? format_bytes(*state.used) : "unknown";
  if (const auto percent = state.used_percent()) {
    append(fmt::format("{:5.1f} %", *percent));
    append(used + " of " + format_bytes(*state.limit));
  } else {
    append(used + " used");
  }
  if (holding) {
    append("holding " + format_bytes(state.live));
  } else {
    if (const auto eta = state.eta_oom()) append("OOM in " + format_duration(from_seconds(*eta)));
    if (state.achieved_rate) append(format_rate(*state.achieved_rate));
    append(format_bytes(state.live) + " live");
    if (state.debt > 0 && state.requested_rate &&
        static_cast<double>(state.debt) > *state.requested_rate / 10) {
      append(format_bytes(state.debt) + " behind");
    }
    if (state.lost > 0) append(format_bytes(state.lost) + " given up");
  }
  append(format_duration(state.elapsed));
  if (const auto percent = state.used_percent()) append(bar(*percent));
  return line;
}

}  // namespace oomdrill::simulator
