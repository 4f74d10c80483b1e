#include "recording/runs.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace oomdrill::recording {
namespace {

/// A workload that ends gives its memory back before it is seen to have ended: 0.4 s of it,
/// measured on a slow machine. What falls within so much of the end is no curve.
constexpr double kTearDown = 1;
constexpr std::int64_t kWeek = 7 * 24 * 3600;
/// 1970-01-05 was a Monday.
constexpr std::int64_t kMonday = 4 * 24 * 3600;

std::int64_t week_of(WallTime time) {
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  return (seconds - kMonday) / kWeek * kWeek + kMonday;
}

void put(Values& values, Kind kind, std::optional<std::uint64_t> bytes) {
  if (bytes) values[static_cast<std::size_t>(kind)] = static_cast<double>(*bytes);
}

std::string who_of(const Record& record) {
  std::string who(record.text("task_id").value_or(""));
  if (const auto container = record.text("container_name")) {
    who += (who.empty() ? "" : "/") + std::string(*container);
  }
  return who;
}

/// A moment of the curve.
void add_to(Run& run, double at_s, const Values& values) {
  run.series.add(at_s, values);
  double held = values[static_cast<std::size_t>(Kind::working_set)];
  if (std::isnan(held)) held = values[static_cast<std::size_t>(Kind::used)];
  if (!std::isnan(held)) run.working_set.add(static_cast<std::uint64_t>(held));
}

}  // namespace

bool Run::killed() const {
  if (account.exited) return account.exited->verdict == "oom_killed";
  return !account.kills.empty() && !account.kills.back().lived_on();
}

Runs::Open* Runs::open_for(const Record& record, const std::string& path, std::uint64_t key) {
  if (last_open_ == nullptr || last_key_ != key) {
    const auto found = open_.find(key);
    last_open_ = found == open_.end() ? nullptr : &found->second;
    last_key_ = key;
  }
  Open* open = last_open_;
  if (record.event() == "drill.ended") return open;
  const bool starts_drill = record.event() == "drill.started";
  const bool starts_probe = record.event() == "probe.started";
  const bool starts_leak = record.event() == "leak.started";
  const bool anew = open == nullptr || open->stopped || starts_drill ||
                    (starts_probe && (open->probed || open->ended)) ||
                    (open->ended && record.event() != "probe.stopped" &&
                     !record.event().starts_with("memory.")) ||
                    (starts_leak && !open->probed && runs_[open->index].account.leak);
  if (!anew) {
    open->probed = open->probed || starts_probe;
    return open;
  }
  if (open != nullptr) settle(runs_[open->index], *open, false);
  if (runs_.size() == kMostRuns) {
    if (starts_probe || starts_drill || open == nullptr) ++left_out_;
    open_.erase(key);
    last_open_ = nullptr;
    return nullptr;
  }
  Run& run = runs_.emplace_back();
  run.recording = path;
  run.who = who_of(record);
  run.first = run.last = record.time();
  last_open_ = &(open_[key] = Open{.index = runs_.size() - 1, .probed = starts_probe});
  return last_open_;
}

void Runs::note(const Record& record, const std::string& path, std::uint64_t salt) {
  // Without a container's name two files are two workloads.
  const std::uint64_t key = record.identity() != 0 ? record.identity() : salt;
  Open* open = open_for(record, path, key);
  if (open == nullptr) return;
  Run& run = runs_[open->index];
  if (record.event().starts_with("drill.")) {
    run.account.note(record);
    return;
  }
  // The drill began before there was anything to see.
  if (run.account.drill && !open->seen) run.first = run.last = record.time();
  open->seen = true;
  const std::uint64_t kills = run.account.kills_total;
  // What comes down while a workload ends says nothing of how it grew.
  const bool dead =
      run.account.exited.has_value() || (run.killed() && kills > 0) ||
      (run.account.leak && run.account.leak_state && !run.account.leak_state->stopped.empty());
  run.account.note(record);
  run.last = std::max(run.last, record.time());
  const std::string_view event = record.event();
  if (run.account.kills_total > kills) {
    weeks_[week_of(record.time())].kills += run.account.kills_total - kills;
    cut(run, *open);
  }
  if (event == "workload.exited") open->ended = true;
  if (event == "workload.exited" || event == "leak.stopped") settle(run, *open, true);
  if (event == "probe.stopped") open->stopped = true;
  if (const auto limit = record.whole("limit_bytes")) run.limit_bytes = limit;
  if (dead) return;

  const bool sample = event == "memory.sample" || event == "memory.last_words";
  const bool leak = event.starts_with("leak.");
  if (leak) {
    if (const auto live = record.whole("live_bytes")) {
      open->live = static_cast<double>(*live);
      open->has_live = true;
    }
  }
  // A leaksim alone: its own events are the samples.
  if (!sample && !(leak && !open->probed && record.whole("used_bytes"))) return;

  // A look between a kill and its event: what is gone already was not used at the end.
  const auto counted = record.whole("oom_kills");
  const bool after_kill = counted && open->oom_kills && *counted > *open->oom_kills;
  if (counted) open->oom_kills = counted;
  if (after_kill) {
    cut(run, *open);
    return;
  }

  double at = to_seconds(record.time() - run.first) + open->offset_s;
  if (at < open->last_s) {
    // Late by less than an interval is disorder; more is a clock that stepped.
    if (open->last_s - at > 60) {
      ++run.clock_steps;
      open->offset_s += open->last_s - at;
      at = open->last_s;
    } else {
      return;
    }
  }
  const double gap_s = at - open->last_s;
  if (run.series.samples() + open->latest.size() > 0 && gap_s >= Run::kLeastGap)
    run.gap_s = std::max(run.gap_s, gap_s);
  open->last_s = at;
  Values values = no_values();
  const auto used = record.whole("used_bytes");
  put(values, Kind::used, used);
  const auto working_set = record.whole("working_set_bytes");
  put(values, Kind::working_set, working_set);
  put(values, Kind::ecs_used, record.whole("ecs_used_bytes"));
  put(values, Kind::anon, record.whole("anon_bytes"));
  const auto file = record.whole("file_bytes");
  put(values, Kind::file, file);
  const auto shmem = record.whole("shmem_bytes");
  put(values, Kind::shmem, shmem);
  put(values, Kind::kernel, record.whole("kernel_bytes"));
  if (const auto reservation = record.whole("memory_reservation")) {
    run.reservation_bytes = reservation;
  }
  if (used) {
    const std::uint64_t cache = file.value_or(0) - std::min(file.value_or(0), shmem.value_or(0));
    put(values, Kind::less_cache, *used - std::min(*used, cache));
  }
  if (open->has_live) values[static_cast<std::size_t>(Kind::live)] = open->live;
  add(run, *open, {at, values});
  if (const auto held = working_set ? working_set : used) {
    weeks_[week_of(record.time())].working_set.add(*held);
  }
}

void Runs::add(Run& run, Open& open, const Moment& moment) {
  auto& latest = open.latest;
  const auto rest = std::find_if(latest.begin(), latest.end(), [&moment](const Moment& each) {
    return moment.at_s - each.at_s <= kTearDown;
  });
  for (auto each = latest.begin(); each != rest; ++each) add_to(run, each->at_s, each->values);
  latest.erase(latest.begin(), rest);
  latest.push_back(moment);
}

void Runs::settle(Run& run, Open& open, bool ends) {
  const auto used = [](const Moment& moment) {
    const double bytes = moment.values[static_cast<std::size_t>(Kind::used)];
    return std::isnan(bytes) ? 0 : bytes;
  };
  auto& latest = open.latest;
  auto last = latest.end();
  if (ends && !latest.empty()) {
    last = 1 +
           std::max_element(latest.begin(), latest.end(),
                            [used](const Moment& a, const Moment& b) { return used(a) < used(b); });
  }
  for (auto each = latest.begin(); each != last; ++each) add_to(run, each->at_s, each->values);
  latest.clear();
}

void Runs::cut(Run& run, Open& open) {
  settle(run, open, true);
  if (run.series.samples() == 0 || run.cuts_s.size() == Series::kMost) return;
  if (!run.before_kill) run.before_kill = run.series.last();
  const double at_s = run.series.buckets().back().last_s;
  if (run.cuts_s.empty() || run.cuts_s.back() < at_s) run.cuts_s.push_back(at_s);
}

Result<void> Runs::read(const std::string& path, const Also& also) {
  // Twice the same file, or "-": each is a source of its own.
  const std::uint64_t salt = ~static_cast<std::uint64_t>(sources_.size());
  last_open_ = nullptr;
  Reader reader(
      [&](const Record& record) {
        note(record, path, salt);
        if (also) also(record);
      },
      Reader::Order::restored);
  if (auto read = read_file(path, reader); !read) return read;
  sources_.push_back({path, reader.counts(), reader.problems()});
  return {};
}

void Runs::sort() {
  for (auto& [key, open] : open_) settle(runs_[open.index], open, false);
  open_.clear();
  last_open_ = nullptr;
  std::erase_if(runs_, [](const Run& run) {
    return run.series.samples() == 0 && !run.account.started && !run.account.leak &&
           run.account.kills_total == 0;
  });
  std::stable_sort(runs_.begin(), runs_.end(),
                   [](const Run& a, const Run& b) { return a.first < b.first; });
}

std::uint64_t Runs::events() const {
  std::uint64_t events = 0;
  for (const Source& source : sources_) events += source.counts.events;
  return events;
}

Result<Runs> read_runs(const std::vector<std::string>& paths, Input& input, const Runs::Also& also,
                       const std::function<void()>& ended) {
  Runs runs;
  input = Input::missing;
  for (const std::string& path : paths) {
    if (auto read = runs.read(path, also); !read) return fail(read.error());
    if (ended) ended();
  }
  runs.sort();
  input = Input::empty;
  if (runs.events() == 0 && !runs.sources().empty()) {
    const Runs::Source& source = runs.sources().front();
    std::string what = source.counts.lines == 0
                           ? "is empty"
                           : fmt::format("holds no event in {} lines", source.counts.lines);
    if (!source.problems.empty()) {
      what += fmt::format(" ({})", describe(source.problems.front(), source.counts));
    }
    return fail(
        what, source.path,
        "give what oomprobe or leaksim wrote, or docker logs or aws logs of it; Logs Insights "
        "has to return @message");
  }
  if (runs.all().empty()) {
    return fail("holds no sample of memory", runs.sources().front().path,
                "record with oomprobe run or oomdrill run");
  }
  input = Input::fine;
  return runs;
}

}  // namespace oomdrill::recording
