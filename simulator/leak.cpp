#include "leak.h"

#include <algorithm>
#include <array>

namespace oomdrill::simulator {
namespace {

/// Where nothing is due: a reading that others move is looked at this often on the way to a target.
constexpr Nanoseconds kLookEvery = std::chrono::milliseconds(200);
constexpr Nanoseconds kLongestSleep = std::chrono::hours(1);
/// Of holding. Another process that moves by 10 % of the target a second is off by 0.5 % of it.
constexpr Nanoseconds kTick = std::chrono::milliseconds(50);
/// Of the target: nothing is done about less. The kernel charges in batches of up to 64 pages a
/// CPU, and a correction of each of them would be an oscillation.
constexpr std::uint64_t kDeadBandPart = 400;
constexpr std::uint64_t kLeastDeadBand = 8192;
/// On a terminal the live line is rewritten this often.
constexpr Nanoseconds kLiveEvery = std::chrono::milliseconds(200);
/// --touch uses the hot set in parts, this often.
constexpr Nanoseconds kTouchEvery = std::chrono::milliseconds(20);
/// While memory is written, the reading is compared with the target at least this often.
constexpr Nanoseconds kLookWhileWriting = std::chrono::milliseconds(5);
/// Steps that are due at the very end of --duration belong to it, though they are carried out
/// just after.
constexpr Nanoseconds kGrace = std::chrono::milliseconds(100);

std::string_view signal_name(int signal) {
  switch (signal) {
    case 0:
      return "";
    case SIGINT:
      return "SIGINT";
    case SIGTERM:
      return "SIGTERM";
    default:
      return "other";
  }
}

/// Not by way of seconds: 140,000 bytes in 140 ms are 1,000,000 a second, not 999,999.9999999999.
double per_second(std::uint64_t bytes, Nanoseconds time) {
  return static_cast<double>(bytes) * 1e9 / static_cast<double>(time.count());
}

}  // namespace

std::string_view name(Reason reason) {
  static constexpr std::array<std::string_view, 7> kNames = {
      "until", "duration", "max_bytes", "plan_ended", "signal", "allocation_failed", "cgroup_lost"};
  return kNames[static_cast<std::size_t>(reason)];
}

Leak::Leak(const Parts& parts, const Settings& settings, std::optional<std::uint64_t> until_bytes,
           std::function<std::optional<std::uint64_t>()> rss)
    : parts_(parts),
      settings_(settings),
      until_bytes_(until_bytes),
      rss_(std::move(rss)),
      report_every_(settings.report_every > Nanoseconds(0) && parts.report.live()
                        ? kLiveEvery
                        : settings.report_every),
      next_report_(report_every_) {}

Reason Leak::run() {
  start_ = parts_.clock.now();
  start_used_ = parts_.container.used();
  trend_.add({.used = start_used_});
  start_rss_ = rss_();
  while (!ended_) {
    if (grow()) continue;
    look_up();
    if (!ended_ && phase_ == Phase::releasing) release();
    if (!ended_ && phase_ == Phase::holding && until_bytes_ && elapsed() >= next_tick_) follow();
    if (!ended_ && time_is_up()) ended_ = Reason::duration;
    if (!ended_) sleep();
  }
  const State last = final_state();
  parts_.ledger.release_all();
  if (parts_.heap != nullptr) parts_.heap->give_back();
  const auto residue = parts_.proof != nullptr ? left_over() : std::nullopt;
  parts_.report.stopped(last, name(*ended_),
                        *ended_ == Reason::signal ? signal_name(parts_.stop) : "", residue);
  return *ended_;
}

bool Leak::grow() {
  if (phase_ == Phase::driving) {
    carry_out(plan::Grow{Ledger::kSlice});
  } else if (phase_ == Phase::growing) {
    const Nanoseconds now = elapsed();
    const auto action = parts_.pacer.take(std::min(now, settings_.duration.value_or(now)));
    if (!action) {
      if (!parts_.pacer.next_due()) end_growth(Reason::plan_ended);
      return false;
    }
    carry_out(*action);
  } else {
    return false;
  }
  look_up();
  if (!ended_ && time_is_up() && elapsed() > *settings_.duration + kGrace) {
    ended_ = Reason::duration;
  }
  return true;
}

void Leak::carry_out(const plan::Action& action) {
  Ledger& ledger = parts_.ledger;
  const std::uint64_t before = ledger.allocated();
  const std::uint64_t most = settings_.max_bytes.value_or(UINT64_MAX);
  const auto status = ledger.apply(action, most, [this] { return look_up(); });
  const std::uint64_t grown = ledger.allocated() - before;
  if (grown > 0) last_growth_ = elapsed();
  if (!status) {
    error_ = status.error();
    ended_ = Reason::allocation_failed;
  } else if (!ended_ && phase_ == Phase::growing && settings_.max_bytes &&
             (grown < plan::growth(action) || ledger.live() >= most)) {
    end_growth(Reason::max_bytes);
  }
}

bool Leak::look_up() {
  if (ended_) return false;
  if (parts_.stop != 0) {
    ended_ = Reason::signal;
    return false;
  }
  if (until_bytes_ && phase_ == Phase::growing && !passed_ && could_be_reached()) {
    look_allocated_ = parts_.ledger.allocated();
    last_look_ = elapsed();
    const auto reading = read_basis();
    last_reading_ = reading.value_or(0);
    if (reading && *reading >= *until_bytes_) {
      if (parts_.ledger.allocated() > 0) last_growth_ = elapsed();
      end_growth(Reason::until);
    }
  }
  const Nanoseconds now = elapsed();
  if (settings_.touch_share) touch(now);
  if (!ended_ && report_every_ > Nanoseconds(0) && now >= next_report_) report_due(now);
  return !ended_ && (phase_ == Phase::growing || phase_ == Phase::driving);
}

bool Leak::could_be_reached() const {
  // A look at the usage costs as much as 2 % of the MiB that is written in between. Others in the
  // cgroup grow too: so half the way, and not for long.
  const std::uint64_t left = *until_bytes_ > last_reading_ ? *until_bytes_ - last_reading_ : 0;
  return parts_.ledger.allocated() - look_allocated_ >= left / 2 ||
         elapsed() - last_look_ >= kLookWhileWriting;
}

void Leak::end_growth(Reason reason) {
  if (settings_.then == Then::oom) {
    passed_ = true;
    // Of a plan with a rate of its own the rest goes on.
    if (reason == Reason::plan_ended) phase_ = Phase::driving;
    parts_.report.target_reached(state(elapsed()), name(reason));
    return;
  }
  final_ = parts_.pacer.account(elapsed(), parts_.ledger.allocated());
  switch (settings_.then) {
    case Then::hold:
      phase_ = Phase::holding;
      next_tick_ = elapsed();
      parts_.report.holding(final_state());
      break;
    case Then::release:
      phase_ = Phase::releasing;
      break;
    default:
      ended_ = reason;
  }
}

void Leak::release() {
  parts_.ledger.release_all();
  if (parts_.heap != nullptr) parts_.heap->give_back();
  phase_ = Phase::released;
  parts_.report.released(final_state());
}

std::optional<std::uint64_t> Leak::read_basis() {
  // To grow or hold blindly would end in the OOM kill that a target is to prevent.
  if (auto status = parts_.container.refresh(settings_.basis); !status) {
    error_ = std::move(status.error());
    ended_ = Reason::cgroup_lost;
    return std::nullopt;
  }
  const auto reading = parts_.container.reading(settings_.basis);
  if (!reading) {
    error_ = Error{"memory.stat does not show it any more",
                   "--basis " + std::string(name(settings_.basis))};
    ended_ = Reason::cgroup_lost;
  }
  return reading;
}

void Leak::follow() {
  next_tick_ = elapsed() + kTick;
  const auto reading = read_basis();
  if (!reading) return;
  const std::uint64_t target = *until_bytes_;
  const std::uint64_t off = *reading > target ? *reading - target : target - *reading;
  if (off <= std::max(target / kDeadBandPart, kLeastDeadBand)) return;
  // Each worker makes up for its part; the other ones see what is left.
  const std::uint64_t part = off / settings_.workers;
  if (*reading < target) {
    grow_by(part, target);
  } else if (elapsed() >= next_shrink_) {
    shrink_by(part, *reading);
  }
}

void Leak::grow_by(std::uint64_t bytes, std::uint64_t target) {
  const auto keep_going = [this, target] {
    if (parts_.stop != 0) return false;
    const auto reading = read_basis();
    return reading && *reading < target;
  };
  const auto status =
      parts_.ledger.apply(plan::Grow{bytes}, settings_.max_bytes.value_or(UINT64_MAX), keep_going);
  if (!status && !ended_) {
    error_ = status.error();
    ended_ = Reason::allocation_failed;
  }
}

void Leak::shrink_by(std::uint64_t bytes, std::uint64_t reading) {
  const std::uint64_t live = parts_.ledger.live();
  const auto status = parts_.ledger.apply(plan::Shrink{bytes}, UINT64_MAX, [] { return true; });
  if (!status) return;
  const std::uint64_t released = live - parts_.ledger.live();
  if (parts_.heap != nullptr && released > 0) parts_.heap->give_back();
  const auto after = read_basis();
  if (released == 0 || !after) return;
  // What an allocator keeps for itself the kernel does not get back. To go on at each tick would
  // free everything for nothing.
  futile_ = *after + released / 2 > reading ? std::min(futile_ + 1, 8U) : 0;
  next_shrink_ = futile_ == 0 ? Nanoseconds(0) : elapsed() + kTick * (1 << futile_);
}

void Leak::report_due(Nanoseconds now) {
  const Nanoseconds due = now - now % report_every_;
  next_report_ = due + report_every_;
  if (phase_ == Phase::holding) {
    parts_.report.holding(final_state());
  } else if (phase_ == Phase::released) {
    parts_.report.released(final_state());
  } else {
    parts_.report.progress(state(due));
  }
}

bool Leak::time_is_up() const { return settings_.duration && elapsed() >= *settings_.duration; }

void Leak::sleep() {
  const Nanoseconds now = elapsed();
  Nanoseconds until = now + kLongestSleep;
  if (report_every_ > Nanoseconds(0)) until = std::min(until, next_report_);
  if (settings_.duration) until = std::min(until, *settings_.duration);
  if (phase_ == Phase::growing) {
    if (until_bytes_ && !passed_) until = std::min(until, now + kLookEvery);
    if (const auto due = parts_.pacer.next_due()) until = std::min(until, *due);
  } else if (phase_ == Phase::holding && until_bytes_) {
    until = std::min(until, next_tick_);
  }
  if (settings_.touch_share) until = std::min(until, now + kTouchEvery);
  parts_.clock.sleep_until(start_ + until);
  // SIGWINCH has ended it: the line is made anew at once.
  if (parts_.report.live() && parts_.report.resized()) next_report_ = elapsed();
}

std::optional<std::uint64_t> Leak::left_over() {
  // Inodes and page tables are freed once all CPUs have passed a quiet state (RCU), and then in
  // portions. Of 15,000 inodes that took 50 ms on idle CPUs, 200 on loaded ones, and longer where
  // the host gave a CPU to others.
  constexpr int kLooks = 150;
  constexpr int kQuietLooks = 10;  // a process that is stalled itself does not use them up
  constexpr Nanoseconds kApart = std::chrono::milliseconds(20);
  constexpr std::uint64_t kSettled = std::uint64_t{512} << 10;  // the kernel's stock a CPU
  std::optional<std::uint64_t> least;
  for (int look = 0, quiet = 0; look < kLooks && quiet < kQuietLooks; ++look, ++quiet) {
    if (!parts_.container.refresh()) return least;
    const std::uint64_t used = parts_.container.used();
    const std::uint64_t residue = used > start_used_ ? used - start_used_ : 0;
    if (!least || residue < *least) {
      least = residue;
      quiet = 0;
    }
    if (*least <= kSettled) break;
    parts_.clock.sleep_until(parts_.clock.now() + kApart);
  }
  return least;
}

void Leak::touch(Nanoseconds now) {
  if (now - last_touch_ < kTouchEvery) return;
  const double share = *settings_.touch_share * to_seconds(now - last_touch_);
  last_touch_ = now;
  const double due = std::min(share, 1.0) * static_cast<double>(parts_.ledger.live());
  auto left = static_cast<std::uint64_t>(due);
  while (left > 0 && parts_.stop == 0) {
    const std::uint64_t touched = parts_.ledger.touch(std::min(left, Ledger::kSlice));
    if (touched == 0) break;
    touched_ += touched;
    left -= std::min(left, touched);
  }
}

State Leak::state(Nanoseconds due) {
  const bool held = phase_ == Phase::holding && until_bytes_;
  const bool readable = parts_.container.refresh_all().has_value();
  const Ledger& ledger = parts_.ledger;
  const Account account = final_ ? *final_ : parts_.pacer.account(due, ledger.allocated());
  const Nanoseconds now = elapsed();
  trend_.add({.due = due,
              .elapsed = now,
              .requested = account.requested,
              .achieved = account.achieved,
              .used = parts_.container.used()});
  State state{.elapsed = now,
              .live = ledger.live(),
              .allocated = ledger.allocated(),
              .limit = parts_.container.limit(),
              .achieved_rate = trend_.achieved(),
              .debt = account.debt,
              .lost = account.lost,
              .growth = trend_.growth(),
              .rss = rss_()};
  if (parts_.heap != nullptr && !parts_.report.live()) {
    state.heap = HeapState{parts_.heap->figures(), std::nullopt};
    if (state.rss && start_rss_ && *state.rss > *start_rss_ && state.live > 0) {
      state.heap->fragmentation =
          static_cast<double>(*state.rss - *start_rss_) / static_cast<double>(state.live);
    }
  }
  if (settings_.touch_share) state.touched = touched_;
  if (readable) {
    const cgroup::Sample& sample = parts_.container.sample();
    state.used = sample.current;
    if (sample.has_stat) state.observed = Observed{sample, state.rss, state.limit};
    if (parts_.proof != nullptr) {
      state.charged = parts_.proof->charged(sample);
      state.as_claimed = parts_.proof->as_claimed(sample, ledger.live(), ledger.allocated());
    }
  }
  if (readable && held) {
    state.target = until_bytes_;
    state.reading = parts_.container.reading(settings_.basis);
  }
  if (!parts_.pacer.unpaced()) state.requested_rate = trend_.requested();
  return state;
}

State Leak::final_state() {
  State state = this->state(elapsed());
  const Account account =
      final_ ? *final_ : parts_.pacer.account(elapsed(), parts_.ledger.allocated());
  // Over the whole growth, each up to its last step: the wait for the next one is not slowness.
  state.requested_rate.reset();
  state.achieved_rate.reset();
  if (!parts_.pacer.unpaced() && account.last_due > Nanoseconds(0)) {
    state.requested_rate = per_second(account.requested, account.last_due);
  }
  if (last_growth_ > Nanoseconds(0)) {
    state.achieved_rate = per_second(account.achieved, last_growth_);
  }
  return state;
}

}  // namespace oomdrill::simulator
