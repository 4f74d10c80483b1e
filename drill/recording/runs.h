#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "recording/account.h"
#include "recording/reader.h"
#include "recording/series.h"

namespace oomdrill::recording {

/// One life of one workload: from the start of its probe to its end.
struct Run {
  std::string recording;
  std::string who;  ///< task and container where the events say so
  Account account;
  Series series;          ///< of seconds since `first`, up to the death
  Histogram working_set;  ///< of the same samples
  /// Where OOM kills cut the curve: each time is that of the last sample before one. What falls
  /// there was not given back. The first Series::kMost.
  std::vector<double> cuts_s = {};
  /// At the first of them.
  std::optional<Values> before_kill = {};
  WallTime first;
  WallTime last;
  std::optional<std::uint64_t> limit_bytes = {};
  std::optional<std::uint64_t> reservation_bytes = {};
  /// The wall clock stepped back: the curve goes on as if it had not.
  std::uint64_t clock_steps = 0;
  /// The longest time without a sample, from kLeastGap on: the clock stepped on, or nothing was
  /// recorded; 0: there is none.
  double gap_s = 0;
  static constexpr double kLeastGap = 3600;

  /// The last of a kind before the first OOM kill, or else of all.
  [[nodiscard]] std::optional<double> last_seen(Kind kind) const {
    return value(before_kill ? *before_kill : series.last(), kind);
  }
  [[nodiscard]] double duration_s() const { return to_seconds(last - first); }
  /// An OOM kill that the workload did not survive.
  [[nodiscard]] bool killed() const;
};

/// Several recordings, apart into runs. Memory is bounded: kMostRuns, each with its bounded curve.
class Runs {
 public:
  static constexpr std::size_t kMostRuns = 256;

  struct Source {
    std::string path;
    Counts counts;
    std::vector<Problem> problems;
  };
  /// A week, by the Monday that it begins with, in UTC.
  struct Week {
    Histogram working_set;
    std::uint64_t kills = 0;
  };

  /// Who else wants the events of a recording, so that it is read once.
  using Also = std::function<void(const Record&)>;
  /// Error: it cannot be read.
  Result<void> read(const std::string& path, const Also& also = nullptr);
  /// In the order of their times, once all are read.
  void sort();

  [[nodiscard]] const std::vector<Run>& all() const { return runs_; }
  [[nodiscard]] const std::vector<Source>& sources() const { return sources_; }
  [[nodiscard]] const std::map<std::int64_t, Week>& weeks() const { return weeks_; }
  [[nodiscard]] std::uint64_t events() const;
  /// Runs beyond kMostRuns, whose events were left out.
  [[nodiscard]] std::uint64_t left_out() const { return left_out_; }

 private:
  struct Moment {
    double at_s;
    Values values;
  };
  struct Open {
    std::size_t index;
    bool seen = false;     ///< has an event beside drill.started
    bool probed = false;   ///< has a probe.started
    bool ended = false;    ///< its workload exited
    bool stopped = false;  ///< its probe too
    double offset_s = 0;   ///< what the clock stepped back
    double last_s = 0;
    std::optional<std::uint64_t> oom_kills = {};  ///< the cgroup's counter, as last told
    double live = 0;
    bool has_live = false;
    std::vector<Moment> latest = {};  ///< of less than kTearDown: the end may come
  };
  void note(const Record& record, const std::string& path, std::uint64_t salt);
  void add(Run& run, Open& open, const Moment& moment);
  /// Its latest moments, too, are the curve's: all, or as far as it did not come down.
  void settle(Run& run, Open& open, bool ends);
  /// An OOM kill: what it takes is no part of the curve, and what follows begins anew.
  void cut(Run& run, Open& open);
  Open* open_for(const Record& record, const std::string& path, std::uint64_t key);

  std::vector<Run> runs_;
  std::vector<Source> sources_;
  std::map<std::uint64_t, Open> open_;
  std::map<std::int64_t, Week> weeks_;
  std::uint64_t left_out_ = 0;
  std::uint64_t last_key_ = 0;
  Open* last_open_ = nullptr;
};

/// Of `oomdrill trend`, `rightsize` and `report`: reads all, or says why not. `input` tells one
/// that is missing from one that holds no event. `ended` is called behind each recording.
enum class Input { fine, missing, empty };
Result<Runs> read_runs(const std::vector<std::string>& paths, Input& input,
                       const Runs::Also& also = nullptr,
                       const std::function<void()>& ended = nullptr);

}  // namespace oomdrill::recording
