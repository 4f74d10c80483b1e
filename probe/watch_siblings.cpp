#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <vector>

#include "identity/identity.h"
#include "loop.h"
#include "monitor.h"
#include "program.h"
#include "session.h"
#include "setup.h"
#include "siblings.h"
#include "supervise/signals.h"

namespace oomdrill::probe {
namespace {

/// A container that comes is seen this soon.
constexpr Nanoseconds kSearch = std::chrono::seconds(1);
/// It is watched once it has kept its first process for so long: an engine's own come and go while
/// it is made, and may still have the machine's files.
constexpr Nanoseconds kSettle = std::chrono::milliseconds(200);

/// One container, with a monitor and a line number of its own. Nothing moves once it is made.
struct Watched {
  Neighbour who;
  Fd process;  ///< a pidfd of its main process: ready when that has ended; invalid: an old kernel
  std::unique_ptr<Source> source;
  telemetry::Emitter emitter;
  Monitor monitor;

  Watched(Neighbour neighbour, Fd fd, std::unique_ptr<Source> opened, const WatchSettings& settings,
          SharedStream& stream, telemetry::Context context, const Clock& clock,
          cgroup::Bytes reservation)
      : who(std::move(neighbour)),
        process(std::move(fd)),
        source(std::move(opened)),
        emitter(stream.emitter(std::move(context))),
        monitor(*source, settings.policy, emitter, clock, reservation) {}
};

Fd open_process(pid_t pid) {
  Fd fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  return fd;
}

class Siblings {
 public:
  Siblings(const WatchSettings& settings, const Machine& machine, const Prepared& prepared,
           SharedStream& stream, bool locked)
      : settings_(&settings),
        machine_(&machine),
        prepared_(&prepared),
        stream_(&stream),
        locked_(locked) {}

  /// Begins with those that came; when to search again. Opens files and allocates, which looks do
  /// not.
  Nanoseconds search() {
    Neighbours found = find_neighbours(machine_->root);
    if (found.hidden > 0 && !told_hidden_) {
      told_hidden_ = true;
      stream_->warn(
          fmt::format("{} processes are of containers that this one may not see: run as the "
                      "same user, with no fewer capabilities",
                      found.hidden));
    }
    bool unsettled = false;
    for (const Neighbour& neighbour : found.containers) {
      if (knows(neighbour)) continue;
      const bool settled = std::any_of(seen_.begin(), seen_.end(), [&](const Neighbour& n) {
        return n.mounts == neighbour.mounts && n.main == neighbour.main;
      });
      if (settled) {
        begin(neighbour);
      } else {
        unsettled = true;
      }
    }
    // Those that could not be watched are forgotten with their processes.
    refused_.erase(std::remove_if(refused_.begin(), refused_.end(),
                                  [&found](const std::string& mounts) {
                                    return std::none_of(
                                        found.containers.begin(), found.containers.end(),
                                        [&](const Neighbour& n) { return n.mounts == mounts; });
                                  }),
                   refused_.end());
    seen_ = std::move(found.containers);
    return machine_->clock->now() + (unsettled ? kSettle : kSearch);
  }

  [[nodiscard]] Nanoseconds deadline(Nanoseconds latest) const {
    for (const auto& each : watched_) latest = std::min(latest, each->monitor.deadline());
    return latest;
  }

  /// Two for each: its counters and its main process.
  void wait_for(std::vector<pollfd>& waiting) const {
    for (const auto& each : watched_) {
      const int counters = each->monitor.blind() ? -1 : each->source->events_fd();
      waiting.push_back({.fd = counters, .events = POLLPRI, .revents = 0});
      waiting.push_back({.fd = each->process.get(), .events = POLLIN, .revents = 0});
    }
  }

  /// `ready` as wait_for() filled it. The ends first: counters can be read until the engine has
  /// removed the cgroup, which is soon.
  void look(const pollfd* ready) {
    for (std::size_t i = 0; i < watched_.size(); ++i) {
      Watched& each = *watched_[i];
      if (ready[2 * i + 1].revents != 0) {
        each.monitor.container_ended({.main = each.who.main});
        each.monitor.stop("container_ended");
        ended_.push_back(i);
      } else if ((ready[2 * i].revents & (POLLPRI | POLLERR)) != 0) {
        each.monitor.wake();
      }
    }
    for (; !ended_.empty(); ended_.pop_back()) end(ended_.back());
    for (std::size_t i = watched_.size(); i-- > 0;) {
      watched_[i]->monitor.tick();
      if (!watched_[i]->monitor.subject_gone()) continue;
      watched_[i]->monitor.container_ended({.main = watched_[i]->who.main});
      watched_[i]->monitor.stop("cgroup_removed");
      end(i);
    }
  }

  void stop(std::string_view reason) {
    for (const auto& each : watched_) each->monitor.stop(reason);
    for (const auto& each : watched_) stream_->finish(each->emitter);
  }

 private:
  [[nodiscard]] bool knows(const Neighbour& neighbour) const {
    return std::any_of(watched_.begin(), watched_.end(),
                       [&](const auto& each) { return each->who.mounts == neighbour.mounts; }) ||
           std::find(refused_.begin(), refused_.end(), neighbour.mounts) != refused_.end();
  }

  void begin(const Neighbour& neighbour) {
    Fd process = open_process(neighbour.main);
    const ecs::Task task = as_seen_by(prepared_->task, neighbour.container_id);
    std::vector<cgroup::LimitCandidate> limits;
    if (prepared_->task) identity::add_limits(task, limits);
    auto source = open_process_source(machine_->root, neighbour.main, limits);
    if (!source) {
      refused_.push_back(neighbour.mounts);
      stream_->warn(fmt::format("the container of process {} cannot be watched: {}", neighbour.main,
                                source.error().line()));
      return;
    }
    const FileRoot root = root_of(machine_->root, neighbour.main);
    watched_.push_back(std::make_unique<Watched>(
        neighbour, std::move(process), std::move(*source), *settings_, *stream_,
        make_context(task, settings_->output), *machine_->clock, reservation_of(task)));
    Watched& each = *watched_.back();
    each.monitor.watch_processes(ProcessTable(root, each.source->subject().location->directory));
    StartFacts facts;
    facts.pid = ::getpid();
    facts.pid1 = facts.pid == 1;
    facts.locked = locked_;
    facts.notification = each.source->events_fd() >= 0 ? "poll_pollpri" : "poll";
    facts.pressure_trigger = "none";
    facts.pressure_trigger_reason = "siblings are looked at in time";
    facts.thresholds = settings_->thresholds;
    each.monitor.start(facts);
  }

  void end(std::size_t index) {
    stream_->finish(watched_[index]->emitter);
    watched_.erase(watched_.begin() + static_cast<std::ptrdiff_t>(index));
  }

  const WatchSettings* settings_;
  const Machine* machine_;
  const Prepared* prepared_;
  SharedStream* stream_;
  bool locked_;
  bool told_hidden_ = false;
  std::vector<std::unique_ptr<Watched>> watched_;
  std::vector<std::size_t> ended_;
  std::vector<Neighbour> seen_;       ///< at the last search
  std::vector<std::string> refused_;  ///< mount namespaces of those that cannot be watched
};

}  // namespace

int watch_siblings(const WatchSettings& settings, const Machine& machine) {
  const auto signals = open_signals(SignalInbox::Receive::stops, machine);
  if (!signals) return signals.error();
  auto prepared = prepare(settings, machine);
  if (!prepared) return prepared.error();
  SharedStream stream(settings.output, machine, *prepared);
  Siblings siblings(settings, machine, *prepared, stream, stream.start());
  Nanoseconds search_at = siblings.search();
  std::vector<pollfd> waiting;
  for (;;) {
    waiting.assign(1, {.fd = signals->fd(), .events = POLLIN, .revents = 0});
    siblings.wait_for(waiting);
    const timespec timeout = until(siblings.deadline(search_at), *machine.clock);
    // A pollfd of -1 is passed over.
    (void)::ppoll(waiting.data(), waiting.size(), &timeout, nullptr);
    if (waiting[0].revents != 0 && signals->stop_is_asked()) break;
    siblings.look(waiting.data() + 1);
    if (machine.clock->now() >= search_at) search_at = siblings.search();
  }
  siblings.stop("signal");
  return stream.end();
}

}  // namespace oomdrill::probe
