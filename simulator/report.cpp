#include "report.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "console.h"
#include "version.h"

namespace oomdrill::simulator {
namespace {

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

void add_heap(telemetry::Event& event, const std::optional<HeapState>& heap) {
  if (!heap) return;
  const HeapFigures& figures = heap->figures;
  event.begin("heap")
      .number("allocated_bytes", figures.allocated)
      .number("active_bytes", figures.active)
      .number("resident_bytes", figures.resident)
      .number("mapped_bytes", figures.mapped)
      .number("retained_bytes", figures.retained)
      .number("free_bytes", figures.free)
      .end()
      .real("fragmentation", heap->fragmentation);
}

void add_allocator(telemetry::Event& event, const Allocator& allocator) {
  event.begin("allocator").text("name", allocator.name()).text("version", allocator.version());
  event.text("file", allocator.file());
  if (!allocator.options().empty()) event.text("options", allocator.options());
  if (!allocator.unproven().empty()) event.text("options_unproven", allocator.unproven());
  if (allocator.proven()) event.boolean("proven", *allocator.proven());
  event.end();
}

void add_proof(telemetry::Event& event, const State& state) {
  event.number("rss_bytes", state.rss)
      .number("charged_bytes", state.charged)
      .number("touched_bytes", state.touched);
  if (state.observed) add_observers(event, *state.observed);
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

bool ClearingSink::write(std::span<const char> line) {
  constexpr std::string_view kClear = "\r\x1b[K";
  line_.assign(kClear);
  line_.append(line.begin(), line.end());
  return sink_->write(line_);
}

void Report::started(const Start& start) {
  start_ = start;
  peak_ = start.used;
  erase();
  telemetry::Event event = make("leak.started");
  event.text("pattern", start.pattern)
      .text("kind", start.kind)
      .text("claimed_counter", start.counter)
      .real("overhead_percent", 100 * start.overhead)
      .real("rate_bytes_per_s", start.rate)
      .number("seed", start.seed)
      .text("until", start.until)
      .number("until_bytes", start.until_bytes);
  if (start.until_bytes) event.text("basis", start.basis);
  event.text("then", start.then)
      .number("max_bytes", start.max_bytes)
      .real("duration_s",
            start.duration ? std::optional(to_seconds(*start.duration)) : std::nullopt)
      .text("cgroup_version", start.cgroup_version)
      .number("limit_bytes", start.limit)
      .text("limit_source", start.limit_source)
      .text("limit_where", start.limit_where)
      .boolean("limit_complete", start.limit_complete)
      .number("used_bytes", start.used)
      .text("content", start.content)
      .text("version", kVersion)
      .integer("pid", ::getpid());
  if (start.allocator != nullptr) add_allocator(event, *start.allocator);
  if (start.touch_share) event.real("touch_percent_per_s", 100 * *start.touch_share);
  emitter_->emit_important(event);
}

void Report::progress(const State& state) {
  note_peak(state);
  if (live()) show(state, Doing::growing);
  if (row_ != Row::none) return;
  telemetry::Event event = make("leak.progress");
  add_state(event, state);
  event.real("eta_oom_s", state.eta_oom());
  add_proof(event, state);
  add_heap(event, state.heap);
  emitter_->emit(event);
}

void Report::holding(const State& state) {
  note_peak(state);
  if (live() && held_) show(state, Doing::holding);
  if (repeats()) return;
  held_ = true;
  erase();
  telemetry::Event event = make("leak.holding");
  add_state(event, state);
  add_proof(event, state);
  event.number("target_bytes", state.target).number("reading_bytes", state.reading);
  add_heap(event, state.heap);
  emitter_->emit(event);
}

void Report::released(const State& state) {
  note_peak(state);
  if (live() && held_) show(state, Doing::released);
  if (repeats()) return;
  held_ = true;
  erase();
  telemetry::Event event = make("leak.released");
  add_state(event, state);
  add_proof(event, state);
  add_heap(event, state.heap);
  emitter_->emit(event);
}

void Report::target_reached(const State& state, std::string_view reason) {
  note_peak(state);
  erase();
  telemetry::Event event = make("leak.target_reached");
  event.text("reason", reason);
  add_state(event, state);
  add_proof(event, state);
  add_heap(event, state.heap);
  emitter_->emit(event);
}

void Report::stopped(const State& state, std::string_view reason, std::string_view signal,
                     std::optional<std::uint64_t> residue) {
  note_peak(state);
  erase();
  telemetry::Event event = make("leak.stopped");
  event.text("reason", reason);
  if (!signal.empty()) event.text("signal", signal);
  add_state(event, state);
  add_proof(event, state);
  if (state.as_claimed) event.boolean("charged_as_claimed", *state.as_claimed);
  event.number("residue_bytes", residue).number("events_dropped", emitter_->dropped());
  add_heap(event, state.heap);
  emitter_->emit_important(event);
  if (!live()) return;
  const std::string text = summary(start_, state, peak_, reason);
  sink_->write(std::span<const char>(text));
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

void Report::together(std::string_view what, const State& state) {
  note_peak(state);
  if (!live()) return;
  start_.pattern = what;
  show(state, Doing::growing);
}

void Report::all_ended(const State& state, const Ending& ending, std::uint64_t restarts) {
  if (row_ == Row::none) return;
  erase();
  std::string text =
      fmt::format("\nended      {} after {}, workers OOM-killed {}, restarted {}\n",
                  ending.outcome(), format_duration(state.elapsed), ending.oom_kills, restarts);
  text += "usage      peak seen " + format_bytes(ending.peak);
  if (ending.limit) text += " of " + format_bytes(*ending.limit);
  text += "\n";
  sink_->write(std::span<const char>(text));
}

telemetry::Event Report::make(std::string_view name) const {
  telemetry::Event event(name, clock_->wall());
  event.number("worker", author_.worker).number("restart", author_.restart);
  return event;
}

void Report::note_peak(const State& state) { peak_ = std::max(peak_, state.used.value_or(0)); }

bool Report::resized() const { return shown_ > 0 && terminal_width(terminal_) != width_; }

void Report::show(const State& state, Doing doing) {
  const std::size_t width = terminal_width(terminal_);
  // A terminal that has become narrower has broken the line up: all of its rows go.
  if (shown_ >= width) erase();
  const std::string line = live_line(start_.pattern, state, doing, width);
  std::string text = "\r" + line;
  if (line.size() < shown_) text.append(shown_ - line.size(), ' ');
  shown_ = line.size();
  width_ = width;
  sink_->write(std::span<const char>(text));
}

void Report::erase() {
  if (shown_ == 0) return;
  const std::size_t width = terminal_width(terminal_);
  std::string text;
  if (shown_ < width) {
    text = "\r" + std::string(shown_, ' ') + "\r";
  } else {
    for (std::size_t row = 1; row < (shown_ + width - 1) / width; ++row) text += "\x1b[A";
    text += "\r\x1b[J";
  }
  shown_ = 0;
  sink_->write(std::span<const char>(text));
}

std::string live_line(std::string_view pattern, const State& state, Doing doing,
                      std::size_t width) {
  // In the order of the line; the least important, with the highest number, is left out first.
  struct Part {
    int rank;
    std::string text;
  };
  std::vector<Part> parts;
  parts.reserve(12);
  parts.push_back({7, std::string(pattern)});
  const std::string used = state.used ? format_bytes(*state.used) : "unknown";
  if (const auto percent = state.used_percent()) {
    parts.push_back({6, bar(*percent)});
    parts.push_back({0, fmt::format("{:5.1f} %", *percent)});
    parts.push_back({1, used + " of " + format_bytes(*state.limit)});
  } else {
    parts.push_back({0, used + " used"});
  }
  if (doing == Doing::growing) {
    if (state.achieved_rate) parts.push_back({3, format_rate(*state.achieved_rate)});
    if (state.achieved_rate && state.requested_rate) {
      parts.push_back({4, "of " + format_rate(*state.requested_rate)});
    }
    if (const auto eta = state.eta_oom()) {
      parts.push_back({2, "OOM in " + format_duration(from_seconds(*eta))});
    }
    if (state.debt > 0 && state.requested_rate &&
        static_cast<double>(state.debt) > *state.requested_rate / 10) {
      parts.push_back({5, format_bytes(state.debt) + " behind"});
    }
    if (state.lost > 0) parts.push_back({5, format_bytes(state.lost) + " given up"});
    if (state.allocated > 0) parts.push_back({9, format_bytes(state.live) + " live"});
  } else if (doing == Doing::holding) {
    parts.push_back({2, "holding " + format_bytes(state.live)});
    if (state.target) parts.push_back({3, "for " + format_bytes(*state.target)});
  } else {
    parts.push_back({2, "all given back"});
  }
  parts.push_back({8, format_duration(state.elapsed)});

  // A line as wide as the terminal would wrap on some.
  const auto columns = [](const std::vector<Part>& all) {
    std::size_t sum = 0;
    for (const Part& part : all) sum += part.text.size() + 2;
    return sum - 2;
  };
  while (!parts.empty() && columns(parts) >= width) {
    parts.erase(std::max_element(parts.begin(), parts.end(),
                                 [](const Part& a, const Part& b) { return a.rank < b.rank; }));
  }
  std::string line;
  for (const Part& part : parts) line += (line.empty() ? "" : "  ") + part.text;
  return line;
}

std::string summary(const Start& start, const State& state, std::uint64_t peak,
                    std::string_view reason) {
  std::string text = fmt::format("\nended      {} after {}: {}, {} memory\n", reason,
                                 format_duration(state.elapsed), start.pattern, start.kind);
  text += fmt::format("grown      {}, {} of it live at the end\n", format_bytes(state.allocated),
                      format_bytes(state.live));
  if (state.achieved_rate) {
    text += "rate       " + format_rate(*state.achieved_rate);
    if (state.requested_rate) text += " of " + format_rate(*state.requested_rate) + " asked";
    if (state.debt > 0) text += ", " + format_bytes(state.debt) + " behind";
    if (state.lost > 0) text += ", " + format_bytes(state.lost) + " given up";
    text += "\n";
  }
  text += "usage      " + (state.used ? format_bytes(*state.used) : std::string("unknown"));
  if (state.limit) text += " of " + format_bytes(*state.limit);
  if (const auto percent = state.used_percent()) text += fmt::format(" ({:.1f} %)", *percent);
  text += ", peak seen " + format_bytes(peak) + "\n";
  if (start.until_bytes) {
    text += fmt::format("target     {} is {} by {}\n", start.until,
                        format_bytes(*start.until_bytes), start.basis);
  }
  return text;
}

}  // namespace oomdrill::simulator
