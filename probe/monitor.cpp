#include "monitor.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstring>
#include <string>
#include <utility>

#include "detect/cadence.h"
#include "detect/growth.h"
#include "expose/exposition.h"
#include "report.h"
#include "version.h"

namespace oomdrill::probe {
namespace {

/// The kernel raises the counter a few instructions before it sends the SIGKILL; a machine that
/// is short of CPU can stretch those.
constexpr Nanoseconds kGrace = std::chrono::milliseconds(100);
/// A process that dies may hold gigabytes that have to be given back first.
constexpr Nanoseconds kLongestDeath = std::chrono::seconds(10);
constexpr Nanoseconds kRecheck = std::chrono::milliseconds(20);
/// The host's counter is compared with what it was this long ago or longer, so that a look between
/// a kill and its SIGCHLD does not hide it.
constexpr Nanoseconds kHostMark = std::chrono::seconds(1);
constexpr std::size_t kLongestCommand = 512;
/// Lines kept free for the workload's end: its kill, its verdict, the parting line.
constexpr std::size_t kReserved = 3;
constexpr Nanoseconds kMinute = std::chrono::minutes(1);

/// As events tell times.
double seconds(Nanoseconds time) { return rounded(to_seconds(time), 3); }

cgroup::Bytes lower(cgroup::Bytes a, cgroup::Bytes b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

}  // namespace

Monitor::Monitor(Source& source, const Policy& policy, telemetry::Emitter& emitter,
                 const Clock& clock, cgroup::Bytes reservation)
    : source_(&source),
      policy_(policy),
      emitter_(&emitter),
      clock_(&clock),
      endpoint_reservation_(reservation) {}

cgroup::Version Monitor::version() const {
  const auto& location = source_->subject().location;
  return location ? location->version : source_->subject().version.value_or(cgroup::Version::v2);
}

cgroup::Bytes Monitor::reservation() const {
  return now_.sample.soft_limit ? now_.sample.soft_limit : endpoint_reservation_;
}

void Monitor::start(const StartFacts& facts) {
  const bool readable = read(false);
  const Subject& subject = source_->subject();

  auto started = event("probe.started");
  started.text("version", kVersion).integer("pid", facts.pid);
  started.real("interval_s", to_seconds(policy_.interval));
  if (subject.location) {
    started.text("cgroup_version", cgroup::name(subject.location->version))
        .text("cgroup_layout", cgroup::name(subject.location->layout))
        .text("cgroup_path", subject.location->directory);
  } else if (subject.version) {
    started.text("cgroup_version", cgroup::name(*subject.version));
  }
  if (!facts.source.empty()) started.text("source", facts.source);
  if (!subject.limit.considered.empty()) {
    add_limit(started, subject.limit);
    started.text("limit_where", subject.limit.where);
    add_considered(started, subject.limit);
  }
  started.text("notification", facts.notification);
  if (!facts.pressure_trigger.empty()) {
    started.text("pressure_trigger", facts.pressure_trigger);
    if (!facts.pressure_trigger_reason.empty()) {
      started.text("pressure_trigger_reason", facts.pressure_trigger_reason);
    }
  }
  started.boolean("locked", facts.locked)
      .boolean("pid1", facts.pid1)
      .boolean("subreaper", facts.subreaper)
      .text("thresholds", facts.thresholds);
  say(started, Weight::important);

  if (ring_ != nullptr) {
    state_.started_ms =
        std::chrono::floor<std::chrono::milliseconds>(clock_->wall()).time_since_epoch().count();
    if (ring_->previous()) tell_previous_run();
    update_state();
  }
  processes_.look();
  history_.take_counters(now_.sample);
  history_.limit = now_.limit;
  if (readable && now_.has_sample) history_.push(now_);
  const Nanoseconds now = clock_->now();
  host_marks_[0] = host_marks_[1] = {now, now_.host_oom_kills};
  look_at_ = sample_at_ = minute_ = now;
  if (subject.location && !subject.counters_trusted) {
    warn(
        "this kernel is gVisor's: its memory.events are always 0, so an OOM kill cannot be told "
        "from another SIGKILL");
  } else if (subject.location && readable && now_.has_sample && !now_.sample.deciding().oom_kill) {
    warn(
        "this kernel counts no OOM kills (oom_kill, Linux 4.13): they cannot be told from another "
        "SIGKILL");
  }
  if (readable && now_.has_sample && now_.sample.own.oom_kill_disable == 1U) {
    warn(
        "the OOM killer is off here (oom_kill_disable): at the limit nothing is killed, and every "
        "process that wants memory hangs");
  }
  if (readable && now_.has_sample && !now_.limit) {
    warn(
        "no memory limit was found: thresholds and forecasts are off; set one "
        "(docker run --memory=512m)");
  }
}

void Monitor::say(const telemetry::Event& event, Weight weight) {
  if (recorder_ != nullptr) recorder_->emit(event);
  switch (weight) {
    case Weight::ordinary:
      emitter_->emit(event);
      return;
    case Weight::important:
      emitter_->emit_important(event);
      return;
    case Weight::verdict:
      emitter_->emit_verdict(event);
  }
}

/// How the run before ended that used the same flight recorder.
void Monitor::tell_previous_run() {
  const RunState& run = *ring_->previous();
  const auto in_place = [](const auto& text) {
    return std::string_view(text.data(), ::strnlen(text.data(), text.size()));
  };
  auto previous = event("probe.previous_run");
  previous.text("outcome", run.stopped != 0 ? "stopped" : "vanished");
  if (!in_place(run.verdict).empty()) previous.text("verdict", in_place(run.verdict));
  if (!in_place(run.command).empty()) previous.text("command", in_place(run.command));
  char seen[25];
  format_time(WallTime(std::chrono::milliseconds(run.seen_ms)), seen);
  previous.text("last_seen", std::string_view(seen, 24))
      .real("duration_s", static_cast<double>(run.seen_ms - run.started_ms) / 1000)
      .number("used_bytes", run.used_bytes);
  if (run.limit_bytes > 0) {
    previous.number("limit_bytes", run.limit_bytes)
        .real("used_percent", rounded(100.0 * static_cast<double>(run.used_bytes) /
                                          static_cast<double>(run.limit_bytes),
                                      2));
  }
  previous.number("oom_kills", run.oom_kills);
  say(previous, Weight::important);
}

void Monitor::record_look() {
  auto sample = event("memory.sample");
  add_sample(sample, now_, version(), reservation());
  recorder_->emit(sample);
  update_state();
}

void Monitor::update_state() {
  state_.seen_ms =
      std::chrono::floor<std::chrono::milliseconds>(clock_->wall()).time_since_epoch().count();
  if (now_.has_sample) {
    state_.used_bytes = now_.sample.current;
    state_.limit_bytes = now_.limit.value_or(0);
  }
  ring_->update(state_);
}

void Monitor::warn(std::string_view message) {
  say(event("probe.warning").text("message", message), Weight::ordinary);
}

void Monitor::workload_started(Workload& workload, std::string_view command,
                               std::optional<int> oom_score_adj) {
  workload_ = &workload;
  workload_started_at_ = clock_->now();
  std::copy_n(command.begin(), std::min(command.size(), state_.command.size()),
              state_.command.begin());
  auto started = event("workload.started");
  processes_.look();
  started.integer("pid", workload.pid()).text("command", command.substr(0, kLongestCommand));
  if (oom_score_adj) started.integer("oom_score_adj", *oom_score_adj);
  say(started, Weight::important);
}

void Monitor::workload_stopping(int signal) {
  const SignalName name(signal);
  auto stopping = event("workload.stopping");
  stopping.integer("pid", workload_->pid()).text("signal", name.view());
  if (now_.has_sample) stopping.number("used_bytes", now_.sample.current);
  stopping.number("limit_bytes", now_.limit);
  say(stopping, Weight::important);
}

Nanoseconds Monitor::deadline() const {
  return pending_ ? std::min(look_at_, pending_->decide_at) : look_at_;
}

bool Monitor::read(bool counters_only) {
  const auto done = counters_only ? source_->read_counters(now_) : source_->read(now_);
  now_.at = clock_->now();
  if (done) {
    blind_ = false;
    looked_at_wall_ = clock_->wall();
    return true;
  }
  // Removed while watched: kernfs then answers ENODEV to whoever holds it open.
  if (done.error().errnum == ENODEV) gone_ = true;
  if (!blind_) warn(done.error().line());
  blind_ = true;
  return false;
}

void Monitor::tick() {
  if (pending_ && clock_->now() >= pending_->decide_at) settle();
  if (const Nanoseconds late = clock_->now() - look_at_; late >= Nanoseconds::zero()) {
    longest_stall_ = std::max(longest_stall_, late);
    look();
  }
  if (emitter_->held() > 0) emitter_->flush();
  tell_dropped();
}

bool Monitor::may_tell() {
  if (policy_.max_events_per_minute == 0) return true;
  if (told_this_minute_ < policy_.max_events_per_minute) {
    ++told_this_minute_;
    return true;
  }
  ++suppressed_this_minute_;
  ++suppressed_;
  return false;
}

/// What a reader did not get: suppressed lines when their minute is over, dropped ones when the
/// sink takes lines again.
void Monitor::tell_dropped() {
  const bool over = clock_->now() - minute_ >= kMinute;
  const auto suppressed = over ? std::exchange(suppressed_this_minute_, 0) : 0;
  if (over) {
    minute_ += (clock_->now() - minute_) / kMinute * kMinute;
    told_this_minute_ = 0;
  }
  const bool taken = emitter_->emitted() > emitted_seen_ && emitter_->held() == 0;
  emitted_seen_ = emitter_->emitted();
  const auto dropped = taken ? emitter_->dropped() - dropped_told_ : 0;
  if (suppressed == 0 && dropped == 0) return;
  auto told = event("probe.dropped");
  if (dropped > 0) told.number("dropped", dropped);
  if (suppressed > 0) told.number("suppressed", suppressed);
  dropped_told_ += dropped;
  say(told, Weight::important);
}

void Monitor::look() {
  const Nanoseconds started = clock_->now();
  looked_at_ = started;
  const bool sample_due = started >= sample_at_;
  const bool readable = read(false);
  if (readable) {
    // A baseline that start() could not take.
    if (!history_.own.oom_kill && !history_.hierarchical.oom_kill) {
      history_.take_counters(now_.sample);
    }
    history_.follow(now_);
    for (const Detector& detector : detectors()) {
      // While a victim's memory is being torn down, its fall is no news: the kill is, first.
      if (pending_ && !detector.counters_suffice) continue;
      while (const auto found = detector.detect(now_, history_, policy_)) {
        if (std::holds_alternative<OomKilled>(*found)) {
          collect_kill();
          continue;
        }
        history_.note(*found);
        if (const auto* f = std::get_if<ThresholdCrossed>(&*found)) tell(*f);
        if (const auto* f = std::get_if<LimitChanged>(&*found)) tell(*f);
        if (const auto* f = std::get_if<GrowthFound>(&*found)) tell(*f);
        if (const auto* f = std::get_if<PressureChanged>(&*found)) tell(*f);
        // A sample of this look tells the same.
        if (const auto* f = std::get_if<LastWords>(&*found); f && !sample_due) tell(*f);
      }
    }
    mark_host();
    // What is gone now may be the victim of a kill that the next look counts.
    if (!pending_) processes_.forget_departed();
    processes_.look();
  }
  if (recorder_ != nullptr && readable && now_.has_sample) record_look();
  history_.calm = readable && is_calm(now_, history_, policy_) ? history_.calm + 1 : 0;
  const Nanoseconds period = sample_period(history_, policy_);
  if (sample_due) {
    if (readable && now_.has_sample) tell_sample();
    // On the grid of the first sample; what was slept through is passed over.
    const auto missed = (started - sample_at_) / policy_.interval;
    sample_at_ += missed * policy_.interval + period;
  } else if (history_.calm == 0) {
    sample_at_ = std::min(sample_at_, started + policy_.interval);
  }
  Nanoseconds wait = period;
  if (readable && now_.has_sample) {
    wait = next_look(now_, history_, policy_);
    history_.push(now_);
  }
  look_at_ = std::min(started + wait, sample_at_);
}

void Monitor::wake() {
  if (!catch_kill()) return;
  // Also a hit of the limit that reclaim solved raises a counter: the limit is near.
  if (clock_->now() - looked_at_ >= policy_.min_interval) look();
}

void Monitor::pressed() {
  ++pressure_wakes_;
  wake();
}

bool Monitor::catch_kill() {
  if (!read(true)) return false;
  if (detect_oom_kill(now_, history_, policy_)) {
    read(false);
    collect_kill();
  }
  return true;
}

/// Takes what the counters rose by as a kill to be told.
void Monitor::collect_kill() {
  const auto found = detect_oom_kill(now_, history_, policy_);
  if (!found) return;
  history_.note(*found);
  const auto& kill = std::get<OomKilled>(*found);
  processes_.look();
  if (pending_) {
    pending_->kill.kills += kill.kills;
    pending_->kill.own_after = kill.own_after;
    pending_->kill.hierarchical_after = kill.hierarchical_after;
    pending_->after = now_;
    return;
  }
  pending_.emplace();
  pending_->kill = kill;
  pending_->before = last_look();
  pending_->after = now_;
  pending_->decide_at = now_.at + kGrace;
  pending_->give_up_at = now_.at + kLongestDeath;
  pending_->workload_dying = workload_ != nullptr && workload_->is_dying();
  if (workload_ == nullptr) settle();
}

/// The workload had time to die of the pending kill.
void Monitor::settle() {
  const Nanoseconds now = clock_->now();
  const bool dying = workload_ != nullptr && workload_->is_dying();
  if (!dying) {
    // Nobody reads, and what is held must not push out older kills: kills are added up instead.
    if (emitter_->held() > 0 && !emitter_->flush() && emitter_->room() <= kReserved) {
      pending_->decide_at = now + kGrace;
      return;
    }
    tell_kill(workload_ != nullptr ? std::optional(true) : std::nullopt);
    return;
  }
  pending_->workload_dying = true;
  if (now < pending_->give_up_at) {
    pending_->decide_at = now + kRecheck;
    return;
  }
  told_dying_ += pending_->kill.kills;
  pending_->workload_is_victim = true;
  tell_kill(false);
}

std::optional<Judgement> Monitor::reaped(const Reaped& reaped) {
  // The workload was alive and well after this kill: it hardly was its victim.
  const bool survived_it = pending_ && !pending_->workload_dying;
  // Read after the death was seen: the counter rose before the SIGKILL was sent, so it is whole.
  catch_kill();
  if (pending_) {
    for (std::size_t i = 0; i < reaped.others_killed_size; ++i) {
      processes_.mark_sigkilled(reaped.others_killed[i].pid, reaped.others_killed[i].name);
    }
  }
  if (!reaped.main_ended) return std::nullopt;
  workload_ended_ = true;

  const Reading before = pending_ ? pending_->before : last_look();
  Death death;
  death.wait_status = reaped.main_status;
  death.stop_requested = workload_->stop_requested();
  death.killed_by_us = workload_->killed_by_us();
  death.oom_kills = counted_kills();
  death.host_oom_kills = host_kills();
  death.others_killed = reaped.others_killed_size > 0;
  if (before.has_sample) death.used_percent = percent(before, demand(before));
  if (const auto* facts = processes_.find(workload_->pid()); facts && reaped.main_vm_limit) {
    death.vm_percent =
        rounded(100.0 * static_cast<double>(facts->vm_bytes) /
                    static_cast<double>(std::max<std::uint64_t>(*reaped.main_vm_limit, 1)),
                2);
  }
  Judgement judgement = judge(death);
  if (judgement.verdict == Verdict::oom_killed && survived_it) {
    judgement.confidence = Confidence::likely;
  }
  // A kill told moments ago as another's may have been this one, delayed.
  const bool outside =
      judgement.verdict == Verdict::killed || judgement.verdict == Verdict::stop_timeout;
  if (outside && judgement.confidence == Confidence::certain && !death.killed_by_us &&
      unattributed_at_ && now_.at - *unattributed_at_ < kHostMark) {
    judgement.confidence = Confidence::likely;
  }

  if (pending_) {
    pending_->workload_is_victim = judgement.verdict == Verdict::oom_killed;
    tell_kill(false);
  } else {
    read(false);
  }
  tell_exit(judgement, death, before);
  judgement_ = judgement;
  return judgement;
}

void Monitor::tell_exit(const Judgement& judgement, const Death& death, const Reading& before) {
  auto exited = event("workload.exited");
  exited.integer("pid", workload_->pid()).integer("exit_code", judgement.exit_code);
  const SignalName signal(judgement.signal);
  if (judgement.signal != 0) exited.text("signal", signal.view());
  exited.boolean("core_dumped", judgement.core_dumped)
      .text("verdict", name(judgement.verdict))
      .text("confidence", name(judgement.confidence));
  if (!death.oom_kills) exited.text("oom_evidence", "none");
  exited.boolean("stop_requested", death.stop_requested)
      .real("duration_s", seconds(clock_->now() - workload_started_at_));
  if (before.has_sample) {
    exited.number("used_bytes", before.sample.current)
        .number("limit_bytes", before.limit)
        .number("peak_bytes", now_.sample.peak);
  }

  exited.begin("evidence")
      .integer("wait_status", death.wait_status)
      .number("oom_kill", death.oom_kills)
      .number("host_oom_kill", death.host_oom_kills);
  if (source_->subject().location) {
    exited.boolean("counters_trusted", source_->subject().counters_trusted);
  }
  if (before.has_sample) {
    const auto hits = before.sample.deciding().max;
    const auto hits_now = now_.sample.deciding().max;
    if (hits && hits_now && *hits_now >= *hits) exited.number("max", *hits_now - *hits);
    exited.real("used_percent", percent(before, before.sample.current))
        .real("working_set_percent", death.used_percent)
        .real("age_s", seconds(clock_->now() - before.at));
  }
  exited.real("vm_percent", death.vm_percent);
  constexpr std::size_t kMostSignals = 8;
  std::array<std::optional<SignalName>, kMostSignals> names;
  if (const auto sent = workload_->signals(); !sent.empty()) {
    exited.begin("signals");
    for (std::size_t i = 0; i < std::min(sent.size(), kMostSignals); ++i) {
      names[i].emplace(sent[i].number);
      exited.real(names[i]->view(), seconds(sent[i].at - workload_started_at_));
    }
    exited.end();
  }
  exited.end();
  say(exited, Weight::verdict);
  const auto verdict = name(judgement.verdict);
  std::copy_n(verdict.begin(), std::min(verdict.size(), state_.verdict.size()),
              state_.verdict.begin());
  if (ring_ != nullptr) update_state();
}

/// OOM kills that the workload's death may be due to; nullopt: they cannot be counted here.
cgroup::Count Monitor::counted_kills() const {
  const Subject& subject = source_->subject();
  if (!subject.location || !subject.counters_trusted || !now_.sample.deciding().oom_kill ||
      blind_) {
    return std::nullopt;
  }
  return told_dying_ + (pending_ ? pending_->kill.kills : 0);
}

cgroup::Count Monitor::host_kills() const {
  const auto& before = host_marks_[0].kills;
  if (!source_->subject().counters_trusted || !before || !now_.host_oom_kills) return std::nullopt;
  return *now_.host_oom_kills >= *before ? *now_.host_oom_kills - *before : 0;
}

void Monitor::mark_host() {
  if (now_.at - host_marks_[1].at < kHostMark) return;
  host_marks_[0] = host_marks_[1];
  host_marks_[1] = {now_.at, now_.host_oom_kills};
}

Victims Monitor::find_victims() const {
  const Reading& before = pending_->before;
  KillCircumstances kill;
  kill.kills = pending_->kill.kills;
  kill.known = pending_->workload_is_victim ? workload_->pid() : 0;
  if (before.has_sample && before.limit && *before.limit > before.sample.current) {
    kill.unseen_bytes = *before.limit - before.sample.current;
  }
  kill.largest_living = processes_.largest_rss();
  // Processes of cgroups below are not in the table.
  const auto own = pending_->kill.own_before.oom_kill,
             own_after = pending_->kill.own_after.oom_kill;
  kill.complete = processes_.complete() && own && own_after && *own_after - *own == kill.kills;
  return name_victims(processes_.departed(), kill);
}

void Monitor::tell_kill(std::optional<bool> survived) {
  processes_.look();
  if (pending_->workload_is_victim) {
    processes_.mark_sigkilled(workload_->pid(), ProcessName(workload_->name()));
  }
  const Victims victims = find_victims();
  if (survived == true && victims.size == 0) unattributed_at_ = clock_->now();
  processes_.forget_departed();
  const PendingKill pending = *std::exchange(pending_, std::nullopt);
  const Subject& subject = source_->subject();
  const Reading& before = pending.before;

  KillEvidence evidence;
  evidence.version = version();
  evidence.counters = pending.kill;
  evidence.own_limit = before.sample.limit;
  evidence.outer_limit = subject.outer_limit;
  evidence.limits_complete = subject.limit.complete;
  const auto groups = pending.kill.before().oom_group_kill;
  const auto groups_after = pending.kill.after().oom_group_kill;
  const bool group = groups && groups_after && *groups_after > *groups;
  // The kernel takes a group one by one, and a reader may come between two.
  evidence.rest_of_own_group = told_kill_ && told_kill_->scope == Scope::own_limit &&
                               (group || told_kill_->group) &&
                               clock_->now() - told_kill_->at < kHostMark;
  evidence.used_before = before.sample.current;
  evidence.peak_before = before.sample.peak;
  evidence.peak_after = pending.after.sample.peak;
  evidence.charge_slack = subject.charge_slack;
  evidence.host_available = lower(before.host_available, pending.after.host_available);
  evidence.host_bytes = subject.host_bytes;
  const ScopeVerdict verdict = classify(evidence);
  const bool named = victims.size > 0;
  told_kill_ = {clock_->now(), named ? victims.named.front().facts.pid : 0,
                named && victims.named.front().certain, verdict.scope,
                group || evidence.rest_of_own_group};

  auto kill = event("memory.oom_kill");
  kill.text("scope", name(verdict.scope)).text("confidence", name(verdict.confidence));
  kill.number("kills", pending.kill.kills);
  if (groups && groups_after) kill.boolean("group_kill", group);
  PidTexts pids;
  add_victims(kill, victims, pending.kill.kills, pids);
  if (survived) kill.boolean("survived", *survived);
  kill.number("used_bytes", before.sample.current);
  add_limit(kill, subject.limit);
  kill.number("peak_bytes", pending.after.sample.peak);
  kill.begin("evidence");
  add_deltas(kill, pending.kill.before(), pending.kill.after());
  kill.number("host_oom_kill", host_kills())
      .real("used_percent", percent(before, before.sample.current));
  if (pending.after.sample.peak) {
    kill.real("peak_percent", percent(before, *pending.after.sample.peak));
  }
  kill.number("host_available_bytes", evidence.host_available).end();
  add_counters(kill, "counters_before", pending.kill.before());
  add_counters(kill, "counters_after", pending.kill.after());
  kill.number("host_oom_kills_delta", host_kills());
  kill.begin("last_sample")
      .real("age_s", seconds(pending.after.at - before.at))
      .number("used_bytes", before.sample.current)
      .number("anon_bytes", before.sample.stat.anon)
      .number("file_bytes", before.sample.stat.file)
      .number("shmem_bytes", before.sample.stat.shmem)
      .number("kernel_bytes", before.sample.stat.kernel)
      .end();
  kill.metric("oom_killed", static_cast<double>(pending.kill.kills), telemetry::Unit::count);
  say(kill, Weight::verdict);
  state_.oom_kills += pending.kill.kills;
  if (ring_ != nullptr) update_state();
}

void Monitor::tell(const ThresholdCrossed& found) {
  if (!may_tell()) return;
  auto crossed = event("memory.threshold");
  crossed.real("threshold_percent", found.percent).text("direction", found.up ? "up" : "down");
  add_usage(crossed, now_);
  const auto working_set = cgroup::working_set(now_.sample);
  crossed.number("working_set_bytes", working_set);
  if (working_set) crossed.real("working_set_percent", percent(now_, *working_set));
  const auto rate = growth(now_, history_);
  if (rate) crossed.real("growth_bytes_per_s", std::round(*rate));
  // On the way down the rate of the last seconds may still be that of the way up.
  if (const auto left = rate && found.up ? time_to_limit(now_, *rate) : std::nullopt) {
    crossed.real("eta_oom_s", seconds(*left));
  }
  say(crossed, Weight::important);
}

void Monitor::tell(const LimitChanged& found) {
  if (!may_tell()) return;
  auto changed = event("memory.limit_changed");
  changed.number("limit_bytes", found.current)
      .text("limit_source", cgroup::name(source_->subject().limit.source))
      .boolean("limit_complete", source_->subject().limit.complete)
      .number("previous_limit_bytes", found.previous);
  say(changed, Weight::important);
}

void Monitor::tell(const LastWords&) {
  if (!may_tell()) return;
  auto words = event("memory.last_words");
  add_sample(words, now_, version(), reservation());
  say(words, Weight::ordinary);
}

void Monitor::tell(const GrowthFound& found) {
  if (!may_tell()) return;
  auto growth = event("memory.growth");
  growth.boolean("growing", found.growing);
  add_usage(growth, now_);
  growth.number("anon_bytes", now_.sample.stat.anon)
      .number("shmem_bytes", now_.sample.stat.shmem)
      .number("kernel_bytes", now_.sample.stat.kernel);
  if (found.growing) {
    const Trend& trend = found.trend;
    growth.text("grows", trend.grows)
        .real("growth_bytes_per_s", std::round(trend.bytes_per_s))
        .real("eta_oom_s", seconds(found.eta));
    if (const auto least = time_to_limit(now_, trend.high)) {
      growth.real("eta_oom_least_s", seconds(*least));
    }
    if (const auto most = time_to_limit(now_, trend.low)) {
      growth.real("eta_oom_most_s", seconds(*most));
    }
    constexpr double kStrong = 3.3;
    const bool steady = trend.z >= kStrong && trend.high - trend.low <= trend.bytes_per_s;
    growth.text("confidence", name(steady ? Confidence::likely : Confidence::unknown))
        .real("span_s", seconds(trend.span))
        .number("points", trend.points);
  }
  say(growth, Weight::important);
}

void Monitor::tell(const PressureChanged& found) {
  if (!may_tell()) return;
  auto pressure = event("memory.pressure");
  pressure.text("cause", pressure_cause_name(found.cause))
      .text("direction", found.up ? "up" : "down")
      .real("level", rounded(found.level, 2));
  add_usage(pressure, now_);
  if (const auto& psi = now_.sample.pressure) {
    pressure.real("psi_some_avg10_percent", psi->some.avg10)
        .real("psi_some_avg60_percent", psi->some.avg60)
        .real("psi_some_avg300_percent", psi->some.avg300)
        .real("psi_full_avg10_percent", psi->full.avg10)
        .real("psi_full_avg60_percent", psi->full.avg60)
        .real("psi_full_avg300_percent", psi->full.avg300)
        .number("psi_some_total_us", psi->some.total_us)
        .number("psi_full_total_us", psi->full.total_us);
  }
  pressure.number("oom_max_hits", now_.sample.deciding().max)
      .number("high_hits", now_.sample.deciding().high)
      .number("refaults", now_.sample.stat.workingset_refault_file);
  say(pressure, Weight::important);
}

void Monitor::tell_sample() {
  history_.told = demand(now_);
  ++samples_;
  if (!may_tell()) return;
  auto sample = event("memory.sample");
  add_sample(sample, now_, version(), reservation());
  // Rarely: each line costs, and these hardly change.
  if (now_.at >= own_cost_at_) {
    own_cost_at_ = now_.at + kMinute;
    sample.number("probe_rss_bytes", own_cost_.rss())
        .real("probe_cpu_s", rounded(OwnCost::cpu_s(), 3))
        .real("probe_longest_stall_s", seconds(longest_stall_));
  }
  emitter_->emit(sample);
}

std::size_t Monitor::expose(std::span<char> out) {
  Exposed state;
  state.reading = &now_;
  state.version = version();
  state.reservation = reservation();
  state.context = &emitter_->context();
  state.looked_at = looked_at_wall_;
  state.oom_kills_told = state_.oom_kills;
  state.events = emitter_->emitted();
  state.dropped = emitter_->dropped();
  state.rss = own_cost_.rss();
  state.cpu_s = rounded(OwnCost::cpu_s(), 3);
  if (judgement_) {
    state.verdict = name(judgement_->verdict);
    state.exit_code = judgement_->exit_code;
  }
  return write_exposition(state, out);
}

void Monitor::container_ended(const ContainerEnd& end) {
  catch_kill();
  auto ended = event("container.ended");
  if (end.main > 0) ended.integer("pid", end.main);
  const bool recent = told_kill_ && clock_->now() - told_kill_->at < kHostMark;
  const bool counted =
      !blind_ && source_->subject().counters_trusted && now_.sample.deciding().oom_kill.has_value();
  if (recent) {
    const bool sure = told_kill_->victim == end.main && told_kill_->certain;
    ended.text("verdict", name(Verdict::oom_killed))
        .text("confidence", name(sure ? Confidence::certain : Confidence::likely));
  } else {
    // Its wait status is its parent's to know, outside of this pid namespace.
    ended.text("verdict", counted ? "ended" : "unknown")
        .text("confidence", name(counted ? Confidence::certain : Confidence::unknown));
  }
  if (end.exit_code) ended.integer("exit_code", *end.exit_code);
  if (!end.known_status.empty()) ended.text("known_status", end.known_status);
  ended.number("oom_kills", now_.sample.deciding().oom_kill)
      .number("used_bytes", last_look().sample.current)
      .number("limit_bytes", now_.limit)
      .number("peak_bytes", now_.sample.peak);
  say(ended, Weight::verdict);
}

void Monitor::stop(std::string_view reason) {
  // Kills since the last look: without this, 37 of 200 in a row went untold.
  catch_kill();
  if (pending_ && !workload_ended_) settle();
  if (pending_) tell_kill(workload_ != nullptr ? std::optional(false) : std::nullopt);
  tell_dropped();
  auto stopped = event("probe.stopped");
  stopped.text("reason", reason)
      .number("events", emitter_->emitted())
      .number("dropped", emitter_->dropped())
      .number("suppressed", suppressed_)
      .number("samples", samples_)
      .number("pressure_wakes", pressure_wakes_)
      .number("rss_bytes", own_cost_.rss())
      .real("cpu_s", rounded(OwnCost::cpu_s(), 3))
      .real("longest_stall_s", seconds(longest_stall_));
  say(stopped, Weight::important);
  state_.stopped = 1;
  if (ring_ != nullptr) update_state();
}

}  // namespace oomdrill::probe
