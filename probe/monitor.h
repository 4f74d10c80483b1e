#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "detect/detectors.h"
#include "detect/scope.h"
#include "own_cost.h"
#include "recorder/ring_file.h"
#include "source/source.h"
#include "supervise/supervisor.h"
#include "supervise/verdict.h"
#include "supervise/victims.h"
#include "telemetry/sink.h"

namespace oomdrill::probe {

/// What probe.started tells beside what is watched.
struct StartFacts {
  pid_t pid = 0;
  bool pid1 = false;
  bool subreaper = false;
  bool locked = false;
  std::string_view source = {};  ///< where it is no cgroup
  std::string_view notification = {};
  std::string_view pressure_trigger = {};
  std::string_view pressure_trigger_reason = {};  ///< why it is not on the cgroup
  std::string_view thresholds = {};
};

/// What is known of the end of a container that is another's.
struct ContainerEnd {
  pid_t main = 0;  ///< 0: not visible here
  std::optional<std::int64_t> exit_code = {};
  std::string_view known_status = {};  ///< of the ECS agent
};

/// An OOM kill that is not told yet, since it may be the workload's.
struct PendingKill {
  OomKilled kill;
  Reading before, after;
  Nanoseconds decide_at{}, give_up_at{};
  bool workload_is_victim = false;  ///< judged to be
  bool workload_dying = false;      ///< it was, when the kill was seen
};

/// The latest OOM kill that was told.
struct ToldKill {
  Nanoseconds at{};
  pid_t victim = 0;      ///< the first that is known; 0: none is
  bool certain = false;  ///< its SIGKILL was seen
  Scope scope = Scope::unknown;
  bool group = false;
};

/// Looks, asks the detectors, tells what they find, and joins an OOM kill to the death that it
/// caused. Owns no descriptor and waits for nothing: the loop calls it. After start() it does not
/// allocate, but where a reading fails or a limit changes.
class Monitor {
 public:
  Monitor(Source& source, const Policy& policy, telemetry::Emitter& emitter, const Clock& clock,
          cgroup::Bytes reservation);

  /// Before start(): every line is also written there, and each look as a sample. `recorder`
  /// writes to `ring`.
  void record(telemetry::Emitter& recorder, RingFile& ring) {
    recorder_ = &recorder;
    ring_ = &ring;
  }

  /// The baseline of all counters, before the workload is started.
  void start(const StartFacts& facts);
  void warn(std::string_view message);
  /// Before start(): whose processes victims are looked for in.
  void watch_processes(ProcessTable table) { processes_ = std::move(table); }
  void workload_started(Workload& workload, std::string_view command,
                        std::optional<int> oom_score_adj);
  /// The first request to stop was passed on: where a stop timeout then kills the probe too, it is
  /// the last that anyone hears.
  void workload_stopping(int signal);

  /// When tick() is due.
  [[nodiscard]] Nanoseconds deadline() const;
  void tick();
  /// The source's descriptor says that a counter moved.
  void wake();
  /// Memory is scarce, here or on the machine: a reason to look before it is due.
  void pressed();
  /// A SIGCHLD. The judgement on the workload, where that was the one that ended.
  std::optional<Judgement> reaped(const Reaped& reaped);
  void stop(std::string_view reason);

  /// The container's main process, which is nobody's child here, has ended. Reads once more first.
  void container_ended(const ContainerEnd& end);
  /// The state at the last look, for Prometheus: the size of the text in `out`.
  std::size_t expose(std::span<char> out);

  /// What is watched exists no more.
  [[nodiscard]] bool subject_gone() const { return gone_; }
  /// Readings fail: waiting for the source's descriptor would spin.
  [[nodiscard]] bool blind() const { return blind_; }

 private:
  struct HostMark {
    Nanoseconds at{};
    cgroup::Count kills;
  };

  enum class Weight { ordinary, important, verdict };
  void say(const telemetry::Event& event, Weight weight);
  void tell_previous_run();
  void record_look();
  void update_state();

  bool read(bool counters_only);
  void look();
  void collect_kill();
  /// Reads the counters, and collects the kill that they tell of. False: they cannot be read.
  bool catch_kill();
  void settle();
  void tell_kill(std::optional<bool> survived);
  void tell(const ThresholdCrossed& found);
  void tell(const LimitChanged& found);
  void tell(const LastWords& found);
  void tell(const GrowthFound& found);
  void tell(const PressureChanged& found);
  void tell_dropped();
  /// Whether the minute's ceiling has room for a line; counts one that it has not.
  bool may_tell();
  void tell_sample();
  void mark_host();
  void tell_exit(const Judgement& judgement, const Death& death, const Reading& before);
  [[nodiscard]] Victims find_victims() const;
  /// The last look before this one; this one where it is the first.
  [[nodiscard]] const Reading& last_look() const {
    return history_.size() > 0 ? history_.last() : now_;
  }
  [[nodiscard]] cgroup::Count host_kills() const;
  [[nodiscard]] cgroup::Count counted_kills() const;
  [[nodiscard]] cgroup::Version version() const;
  [[nodiscard]] cgroup::Bytes reservation() const;
  [[nodiscard]] telemetry::Event event(std::string_view name) const {
    return {name, clock_->wall()};
  }

  Source* source_;
  Policy policy_;
  telemetry::Emitter* emitter_;
  telemetry::Emitter* recorder_ = nullptr;
  RingFile* ring_ = nullptr;
  RunState state_;
  const Clock* clock_;
  cgroup::Bytes endpoint_reservation_;

  Workload* workload_ = nullptr;
  Reading now_;
  History history_;
  std::optional<PendingKill> pending_;
  ProcessTable processes_;
  HostMark host_marks_[2];
  Nanoseconds look_at_{};
  Nanoseconds sample_at_{};
  Nanoseconds looked_at_{};
  WallTime looked_at_wall_{};
  Nanoseconds workload_started_at_{};
  /// Kills told as the workload's before it could be waited for.
  std::uint64_t told_dying_ = 0;
  /// When a kill without a known victim was last told.
  std::optional<Nanoseconds> unattributed_at_;
  std::optional<ToldKill> told_kill_;
  std::uint64_t samples_ = 0;
  std::uint64_t pressure_wakes_ = 0;
  OwnCost own_cost_;
  Nanoseconds own_cost_at_{};
  /// How late the latest look was, of all.
  Nanoseconds longest_stall_{};
  Nanoseconds minute_{};  ///< when the minute of the ceiling began
  std::uint64_t told_this_minute_ = 0;
  std::uint64_t suppressed_this_minute_ = 0;
  std::uint64_t suppressed_ = 0;
  std::uint64_t dropped_told_ = 0;
  std::uint64_t emitted_seen_ = 0;
  bool workload_ended_ = false;
  std::optional<Judgement> judgement_;  ///< on the workload that has ended
  bool blind_ = false;
  bool gone_ = false;
};

}  // namespace oomdrill::probe
