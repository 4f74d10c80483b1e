#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "loop.h"
#include "monitor.h"
#include "program.h"
#include "session.h"
#include "setup.h"
#include "siblings.h"
#include "source/endpoint.h"
#include "supervise/signals.h"

namespace oomdrill::probe {
namespace {

/// /task is asked again this soon for what it did not tell yet. The agent answers 40 requests a
/// second, for all that ask.
constexpr Nanoseconds kTaskSoon = std::chrono::seconds(1);
/// And this often in any case: figures of a container that stopped may stay.
constexpr Nanoseconds kTaskRoutine = std::chrono::seconds(10);
/// A container is watched without a name once /task failed so often.
constexpr int kNameless = 3;
/// An endpoint that fails on and off is not told of more often.
constexpr Nanoseconds kTroubleAgain = std::chrono::minutes(1);

/// One failure of many kinds, told once until it is over.
class Trouble {
 public:
  /// True: it is to be told.
  bool begins(Nanoseconds now) {
    const bool news = !lasts_ && (!told_ || now - *told_ >= kTroubleAgain);
    lasts_ = true;
    if (news) told_ = now;
    return news;
  }
  void ends() { lasts_ = false; }

 private:
  bool lasts_ = false;
  std::optional<Nanoseconds> told_;
};

/// Nothing moves once it is made.
struct Watched {
  std::string id;
  EndpointSource source;
  telemetry::Emitter emitter;
  Monitor monitor;
  bool told_of = true;  ///< by the last answer

  Watched(std::string container, cgroup::Bytes host, const Policy& policy, SharedStream& stream,
          telemetry::Context context, const Clock& clock, cgroup::Bytes reservation)
      : id(std::move(container)),
        source(host),
        emitter(stream.emitter(std::move(context))),
        monitor(source, policy, emitter, clock, reservation) {}
};

class TaskWatch {
 public:
  TaskWatch(std::string endpoint, const WatchSettings& settings, const Machine& machine,
            const Prepared& prepared, SharedStream& stream, bool locked)
      : endpoint_(std::move(endpoint)),
        settings_(&settings),
        machine_(&machine),
        stream_(&stream),
        policy_(settings.policy),
        task_(prepared.task),
        task_at_(machine.clock->now()) {
    // Between two answers there is nothing new to look at.
    policy_.min_interval = policy_.interval;
    if (const auto meminfo = read_file(machine.root / "/proc/meminfo")) {
      if (const auto total = cgroup::parse_mem_total(*meminfo, "/proc/meminfo")) host_ = *total;
    }
    if (!task_) {
      task_failures_ = 1;
      (void)task_trouble_.begins(task_at_);
    }
    facts_.pid = ::getpid();
    facts_.pid1 = facts_.pid == 1;
    facts_.locked = locked;
    facts_.source = "ecs";
    facts_.notification = "poll";
    facts_.pressure_trigger = "none";
    facts_.pressure_trigger_reason = "the ECS endpoint tells of no pressure";
    facts_.thresholds = settings.thresholds;
  }

  /// Asks, which takes up to three time-outs, and begins and ends with what was answered.
  void poll() {
    const auto stats = ecs::fetch_stats(endpoint_, settings_->ecs_timeout);
    if (!stats) {
      if (stats_trouble_.begins(machine_->clock->now())) {
        stream_->warn(stats.error().line() + "; there are no samples until it answers");
      }
      return;
    }
    stats_trouble_.ends();
    for (const auto& each : watched_) each->told_of = false;
    bool unclear = false;
    for (const auto& each : *stats) {
      if (!each.memory) continue;
      if (Watched* watched = find(each.docker_id)) watched->told_of = true;
      unclear = unclear || listed(each.docker_id) == nullptr;
    }
    for (const auto& each : watched_) unclear = unclear || !each->told_of;
    const bool asked = ask_task(unclear);

    for (const auto& each : *stats) {
      if (each.memory) take(each.docker_id, *each.memory);
    }
    for (std::size_t i = watched_.size(); i-- > 0;) {
      const ecs::Container* listed_as = listed(watched_[i]->id);
      const bool stopped = listed_as != nullptr && has_stopped(*listed_as);
      const bool gone = asked && listed_as == nullptr && !watched_[i]->told_of;
      if (stopped || gone) end(i, listed_as);
    }
    if (watched_.empty() && !told_nobody_ && !waits_for_names()) {
      told_nobody_ = true;
      stream_->warn(endpoint_ + "/task/stats: tells of no other container of this task yet");
    }
  }

  [[nodiscard]] Nanoseconds deadline(Nanoseconds latest) const {
    for (const auto& each : watched_) {
      if (each->source.fresh()) latest = std::min(latest, each->monitor.deadline());
    }
    return latest;
  }

  /// At what has been answered since the last look.
  void look() {
    for (const auto& each : watched_) {
      if (each->source.fresh()) each->monitor.tick();
    }
  }

  void stop(std::string_view reason) {
    for (const auto& each : watched_) each->monitor.stop(reason);
    for (const auto& each : watched_) stream_->finish(each->emitter);
  }

 private:
  static bool has_stopped(const ecs::Container& container) {
    return container.known_status == "STOPPED";
  }

  [[nodiscard]] bool waits_for_names() const { return !task_ && task_failures_ < kNameless; }

  [[nodiscard]] Watched* find(const std::string& id) const {
    for (const auto& each : watched_) {
      if (each->id == id) return each.get();
    }
    return nullptr;
  }

  /// nullptr: /task does not tell of it.
  [[nodiscard]] const ecs::Container* listed(const std::string& id) const {
    if (!task_) return nullptr;
    for (const ecs::Container& each : task_->containers) {
      if (each.docker_id == id) return &each;
    }
    return nullptr;
  }

  /// Whether /task answered just now.
  bool ask_task(bool unclear) {
    const Nanoseconds now = machine_->clock->now();
    if (now - task_at_ < (unclear ? kTaskSoon : kTaskRoutine)) return false;
    task_at_ = now;
    auto task = ecs::fetch_task(endpoint_, settings_->ecs_timeout);
    if (!task) {
      ++task_failures_;
      // The first was told at the start.
      if (task_trouble_.begins(now)) {
        stream_->warn(task.error().line() + "; names, limits and ends stay as they were told");
      }
      return false;
    }
    task_trouble_.ends();
    task_failures_ = 0;
    if (!task->self && task_) task->self = task_->self;
    task_ = std::move(*task);
    return true;
  }

  void take(const std::string& id, const ecs::MemoryStats& memory) {
    const ecs::Container* container = listed(id);
    if (container != nullptr && has_stopped(*container)) return;
    const auto seen = task_ ? std::optional(as_seen_by(task_, id)) : std::nullopt;
    Watched* watched = find(id);
    if (watched == nullptr) {
      if (waits_for_names()) return;
      if (task_ && task_->self && task_->self->docker_id == id) return;
      // The agent's own, such as the one that holds the network.
      if (container != nullptr && !container->type.empty() && container->type != "NORMAL") return;
      const ecs::Task named = as_seen_by(task_, id);
      watched_.push_back(std::make_unique<Watched>(id, host_, policy_, *stream_,
                                                   make_context(named, settings_->output),
                                                   *machine_->clock, reservation_of(named)));
      watched = watched_.back().get();
      told_nobody_ = true;  // somebody was there
      watched->source.update(memory, seen);
      watched->monitor.start(facts_);
    }
    // Also after the start, which has read: the first look is at this.
    watched->source.update(memory, seen);
  }

  void end(std::size_t index, const ecs::Container* container) {
    Watched& each = *watched_[index];
    ContainerEnd how;
    if (container != nullptr) {
      constexpr std::int64_t kMostCode = 255;
      const auto exit = container->exit_code;
      if (exit && *exit >= 0 && *exit <= kMostCode) how.exit_code = exit;
      how.known_status = container->known_status;
    }
    each.monitor.container_ended(how);
    each.monitor.stop("container_ended");
    stream_->finish(each.emitter);
    watched_.erase(watched_.begin() + static_cast<std::ptrdiff_t>(index));
  }

  std::string endpoint_;
  const WatchSettings* settings_;
  const Machine* machine_;
  SharedStream* stream_;
  Policy policy_;
  StartFacts facts_;
  cgroup::Bytes host_;
  std::optional<ecs::Task> task_;  ///< as last answered
  Nanoseconds task_at_;
  int task_failures_ = 0;
  Trouble stats_trouble_, task_trouble_;
  bool told_nobody_ = false;
  std::vector<std::unique_ptr<Watched>> watched_;
};

}  // namespace

int watch_endpoint(const WatchSettings& settings, const Machine& machine) {
  const char* endpoint = machine.environment(ecs::kEndpointVariable);
  if (endpoint == nullptr || *endpoint == '\0') {
    complain(machine,
             fmt::format("--source ecs: {} is not set, so this is no ECS task or its agent is too "
                         "old; watch a cgroup there (--source cgroup)",
                         ecs::kEndpointVariable));
    return code(ExitCode::unavailable);
  }
  const auto signals = open_signals(SignalInbox::Receive::stops, machine);
  if (!signals) return signals.error();
  auto prepared = prepare(settings, machine);
  if (!prepared) return prepared.error();
  SharedStream stream(settings.output, machine, *prepared);
  TaskWatch watch(endpoint, settings, machine, *prepared, stream, stream.start());
  const Nanoseconds interval = settings.policy.interval;
  Nanoseconds poll_at = machine.clock->now();
  for (;;) {
    pollfd waiting{.fd = signals->fd(), .events = POLLIN, .revents = 0};
    const timespec timeout = until(watch.deadline(poll_at), *machine.clock);
    (void)::ppoll(&waiting, 1, &timeout, nullptr);
    if (waiting.revents != 0 && signals->stop_is_asked()) break;
    if (machine.clock->now() >= poll_at) {
      watch.poll();
      // On the grid of the first; what was waited through is passed over.
      poll_at += ((machine.clock->now() - poll_at) / interval + 1) * interval;
    }
    watch.look();
  }
  watch.stop("signal");
  return stream.end();
}

}  // namespace oomdrill::probe
