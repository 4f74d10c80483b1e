#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "allocator.h"
#include "base/clock.h"
#include "expectation.h"
#include "observers.h"
#include "telemetry/event.h"
#include "telemetry/sink.h"

namespace oomdrill::simulator {

/// The ratio of what the leak keeps resident to what of it is in use.
struct HeapState {
  HeapFigures figures;
  std::optional<double> fragmentation;
};

/// What leak.started tells.
struct Start {
  std::string_view pattern = {};
  std::string_view kind = {};
  std::string_view counter = {};  ///< that the kind claims
  double overhead = 0;            ///< share of the bytes that is charged beside them
  std::string_view content = {};
  std::optional<double> touch_share = {};  ///< of the live bytes, a second
  std::optional<double> rate = {};         ///< nominal, finite
  std::uint64_t seed = 0;
  std::string_view until = {};
  std::optional<std::uint64_t> until_bytes = {};
  std::string_view basis = {};  ///< of until_bytes
  std::string_view then = {};
  std::optional<std::uint64_t> max_bytes = {};
  std::optional<Nanoseconds> duration = {};
  std::string_view cgroup_version = {};
  std::optional<std::uint64_t> limit = {};
  std::string_view limit_source = {};
  std::string_view limit_where = {};
  bool limit_complete = true;
  std::uint64_t used = 0;
  const Allocator* allocator = nullptr;  ///< of the heap
};

/// What every later event tells.
struct State {
  Nanoseconds elapsed{0};
  std::uint64_t live = 0;
  std::uint64_t allocated = 0;
  std::optional<std::uint64_t> used = {};  ///< nullopt where the cgroup could not be read
  std::optional<std::uint64_t> limit = {};
  std::optional<double> requested_rate = {};
  std::optional<double> achieved_rate = {};
  std::uint64_t debt = 0;
  std::uint64_t lost = 0;
  std::optional<double> growth = {};  ///< of the usage, bytes a second
  std::optional<std::uint64_t> rss = {};
  std::optional<HeapState> heap = {};
  std::optional<std::uint64_t> target = {};   ///< held at
  std::optional<std::uint64_t> reading = {};  ///< what is compared with it
  std::optional<std::uint64_t> charged = {};  ///< by the counter that the kind claims
  std::optional<bool> as_claimed = {};        ///< whether that is right
  std::optional<std::uint64_t> touched = {};  ///< by --touch, in all
  std::optional<Observed> observed = {};

  [[nodiscard]] std::optional<double> used_percent() const;
  [[nodiscard]] std::optional<std::uint64_t> headroom() const;
  /// Seconds until the usage meets the limit; nullopt where it does not grow.
  [[nodiscard]] std::optional<double> eta_oom() const;
};

/// A worker that died by SIGKILL, as its parent tells it.
struct Killed {
  std::uint64_t number = 0;
  std::uint64_t restart = 0;
  std::int64_t pid = 0;
  std::optional<bool> oom;             ///< by the OOM killer; nullopt: the kernel does not count
  std::optional<std::uint64_t> kills;  ///< OOM kills in the cgroup so far
  std::uint64_t used = 0;              ///< when it was last read before
  std::optional<std::uint64_t> limit;
};

/// Who writes the events, where there are several of one run.
struct Author {
  std::optional<std::uint64_t> worker = {};   ///< from 1 on
  std::optional<std::uint64_t> restart = {};  ///< OOM kills of it before
};

enum class Doing { growing, holding, released };

/// Who has the last row of the terminal, where there is one.
enum class Row {
  none,    ///< no terminal: every event is a line
  own,     ///< this report rewrites it in place
  others,  ///< another process does, and progress is left to it; events go through a ClearingSink
};

/// Clears the terminal's row and writes the line by one write: between two the process that has
/// the row would draw it anew.
class ClearingSink final : public telemetry::Sink {
 public:
  explicit ClearingSink(telemetry::Sink& sink) : sink_(&sink) {}
  bool write(std::span<const char> line) override;
  [[nodiscard]] int last_error() const override { return sink_->last_error(); }

 private:
  telemetry::Sink* sink_;
  std::string line_;
};

/// Turns states into events, and on a terminal into a line that is rewritten in place.
class Report {
 public:
  /// `terminal`: its descriptor; of no account with Row::none.
  Report(telemetry::Emitter& emitter, telemetry::Sink& sink, const Clock& clock, int terminal,
         Row row, const Author& author = {})
      : emitter_(&emitter),
        sink_(&sink),
        clock_(&clock),
        terminal_(terminal),
        row_(row),
        author_(author) {}

  void started(const Start& start);
  void progress(const State& state);
  void holding(const State& state);
  /// All was given back.
  void released(const State& state);
  /// A target was reached, and growth goes on.
  void target_reached(const State& state, std::string_view reason);
  /// `signal` is empty but for reason "signal".
  /// `residue`: usage above that at the start, once all was given back.
  void stopped(const State& state, std::string_view reason, std::string_view signal,
               std::optional<std::uint64_t> residue);

  void worker_killed(const Killed& killed);
  void verdict(Expect expect, Verdict verdict, const Ending& ending, std::uint64_t restarts);

  /// What all workers do together. Only a live line tells it.
  void together(std::string_view what, const State& state);
  /// The end of all workers, for a terminal: a few lines.
  void all_ended(const State& state, const Ending& ending, std::uint64_t restarts);

  [[nodiscard]] bool live() const { return row_ == Row::own; }
  /// The terminal is not as wide as the line that is on it was made for.
  [[nodiscard]] bool resized() const;

 private:
  [[nodiscard]] telemetry::Event make(std::string_view name) const;
  /// Whether an event that comes again and again is left to the live line.
  [[nodiscard]] bool repeats() const { return row_ != Row::none && held_; }
  void show(const State& state, Doing doing);
  void note_peak(const State& state);
  void erase();

  telemetry::Emitter* emitter_;
  telemetry::Sink* sink_;
  const Clock* clock_;
  int terminal_;
  Row row_;
  Author author_;
  Start start_ = {};
  std::uint64_t peak_ = 0;
  std::size_t shown_ = 0;  ///< columns of the live line that is on the terminal now
  std::size_t width_ = 0;  ///< of the terminal then
  bool held_ = false;
};

/// The live line, in less than `width` columns: what matters less is left out where it is narrow.
std::string live_line(std::string_view pattern, const State& state, Doing doing, std::size_t width);

/// What a terminal shows once it is over: a few lines.
std::string summary(const Start& start, const State& state, std::uint64_t peak,
                    std::string_view reason);

}  // namespace oomdrill::simulator
