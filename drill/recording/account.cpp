#include "recording/account.h"

#include <algorithm>

namespace oomdrill::recording {
namespace {

std::string text_of(const Record& record, std::string_view path) {
  return std::string(record.text(path).value_or(""));
}

template <class T>
void keep(std::vector<T>& list, T item) {
  if (list.size() < Account::kKept) list.push_back(std::move(item));
}

LeakStart leak_start(const Record& record) {
  return {.time = record.time(),
          .pattern = text_of(record, "pattern"),
          .rate_bytes_per_s = record.real("rate_bytes_per_s"),
          .seed = record.whole("seed").value_or(0),
          .used_bytes = record.whole("used_bytes"),
          .limit_bytes = record.whole("limit_bytes"),
          .kind = text_of(record, "kind"),
          .until_bytes = record.whole("until_bytes"),
          .max_bytes = record.whole("max_bytes"),
          .duration_s = record.real("duration_s"),
          .allocator = text_of(record, "allocator.name")};
}

LeakState leak_state_of(const Record& record) {
  return {.time = record.time(),
          .requested_bytes_per_s = record.real("requested_bytes_per_s"),
          .achieved_bytes_per_s = record.real("achieved_bytes_per_s"),
          .allocated_bytes = record.whole("allocated_bytes"),
          .live_bytes = record.whole("live_bytes"),
          .used_bytes = record.whole("used_bytes"),
          .debt_bytes = record.whole("debt_bytes"),
          .eta_oom_s = record.real("eta_oom_s"),
          .stopped = record.event() == "leak.stopped" ? text_of(record, "reason") : ""};
}

OomKill oom_kill(const Record& record) {
  return {.time = record.time(),
          .scope = text_of(record, "scope"),
          .kills = record.whole("kills").value_or(1),
          .before = record.whole("counters_before.oom_kill"),
          .after = record.whole("counters_after.oom_kill"),
          .used_bytes = record.whole("last_sample.used_bytes"),
          .sample_age_s = record.real("last_sample.age_s"),
          .limit_bytes = record.whole("limit_bytes"),
          .limit_source = text_of(record, "limit_source"),
          .peak_bytes = record.whole("peak_bytes"),
          .victim_pid = record.whole("victim.pid"),
          .victim_name = text_of(record, "victim.name"),
          .survived = record.boolean("survived")};
}

}  // namespace

double stretch_of(const Record& record) {
  const double said = record.real("stretch").value_or(1);
  // What --stretch takes: the line may be anyone's.
  return said >= 1e-3 && said <= 1e6 ? said : 1;
}

void Account::note(const Record& record) {
  const std::string_view event = record.event();
  if (event == "drill.started") {
    drill = DrillStart{.name = text_of(record, "drill"),
                       .command = text_of(record, "command"),
                       .stretch = stretch_of(record)};
    return;
  }
  if (event == "drill.ended") {
    drill_end = DrillEnd{.verdict = text_of(record, "verdict"),
                         .confidence = text_of(record, "confidence"),
                         .why = text_of(record, "why"),
                         .disagreement = text_of(record, "disagreement")};
    return;
  }

  note_sequence(record);
  // A kill's event repeats the sample before it.
  if (event != "memory.oom_kill") note_usage(record);
  if (const auto peak = record.whole("peak_bytes")) {
    peak_bytes = std::max(peak_bytes.value_or(0), *peak);
  }

  if (event == "memory.sample") {
    // As most are: what else it says is noted.
    if (leak && !leak->cache_bytes) {
      const std::uint64_t file = record.whole("file_bytes").value_or(0);
      leak->cache_bytes = file - std::min(file, record.whole("shmem_bytes").value_or(0));
    }
  } else if (event == "probe.started") {
    probe = ProbeStart{.time = record.time(),
                       .limit_bytes = record.whole("limit_bytes"),
                       .limit_source = text_of(record, "limit_source"),
                       .limit_where = text_of(record, "limit_where")};
  } else if (event == "probe.warning") {
    keep(warnings, text_of(record, "message"));
  } else if (event == "probe.stopped") {
    dropped_ = record.whole("dropped").value_or(0);
  } else if (event == "leak.started") {
    note_leak(record);
  } else if (event == "leak.progress" || event == "leak.holding" || event == "leak.stopped") {
    if (event == "leak.holding" && !holding_since) holding_since = record.time();
    leak_state = leak_state_of(record);
    const auto percent = record.real("used_percent");
    if (!percent || *percent < 95 || !leak_state->stopped.empty()) unhindered = leak_state;
  } else if (event == "memory.threshold") {
    keep(thresholds, {.time = record.time(),
                      .percent = record.real("threshold_percent").value_or(0),
                      .up = record.text("direction") != "down",
                      .used_bytes = record.whole("used_bytes"),
                      .growth_bytes_per_s = record.real("growth_bytes_per_s"),
                      .eta_oom_s = record.real("eta_oom_s")});
  } else if (event == "memory.oom_kill") {
    OomKill kill = oom_kill(record);
    kills_total += kill.kills;
    keep(kills, std::move(kill));
  } else if (event == "workload.started") {
    if (!started) started = {.time = record.time(), .command = text_of(record, "command")};
  } else if (event == "workload.exited") {
    exited = {.time = record.time(),
              .verdict = text_of(record, "verdict"),
              .exit_code = record.whole("exit_code"),
              .signal = text_of(record, "signal"),
              .confidence = text_of(record, "confidence"),
              .duration_s = record.real("duration_s"),
              .peak_bytes = record.whole("peak_bytes")};
  }
  lost = std::max(dropped_, probe_gaps_) + leak_gaps_;
}

void Account::note_leak(const Record& record) {
  // The first one: a workload may start others, and seconds count from one origin.
  if (!leak) {
    leak = leak_start(record);
    return;
  }
  const auto worker = record.whole("worker");
  if (!worker || !kills.empty() || record.text("pattern") != leak->pattern) return;
  leak->workers = std::max(leak->workers, *worker);
  leak->each = leak->each || record.whole("seed") != leak->seed;
  // Each of them takes some memory before it leaks.
  leak->used_bytes = std::max(leak->used_bytes, record.whole("used_bytes"));
}

void Account::note_usage(const Record& record) {
  const auto used = record.whole("used_bytes");
  if (!used) return;
  const auto limit = record.whole("limit_bytes");
  usage = {.time = record.time(), .used_bytes = *used, .limit_bytes = limit};
  peak_bytes = std::max(peak_bytes.value_or(0), *used);
  if (!kills.empty() || !limit) return;
  // Between a death and its event the usage has fallen already: no break in what came before.
  if (exited || (full_since && record.whole("oom_kills").value_or(0) > kills_total)) return;
  if (static_cast<double>(*used) < 0.99 * static_cast<double>(*limit)) {
    full_since.reset();
  } else if (!full_since) {
    full_since = record.time();
  }
}

void Account::note_sequence(const Record& record) {
  const auto seq = record.whole("seq");
  if (!seq) return;
  const bool from_leak = record.event().starts_with("leak.");
  if (record.event() == "leak.started") {
    ++leaks_;
    leak_seq_.reset();
  }
  // Several leaks write into one stream: their numbers interleave and show no gap.
  if (from_leak && leaks_ > 1) return;
  auto& last = from_leak ? leak_seq_ : probe_seq_;
  auto& gaps = from_leak ? leak_gaps_ : probe_gaps_;
  if (last && *seq > *last + 1) gaps += *seq - *last - 1;
  last = seq;
}

std::optional<WallTime> Account::origin() const {
  if (leak) return leak->time;
  if (started) return started->time;
  return std::nullopt;
}

std::optional<double> Account::after_s(WallTime time) const {
  const auto start = origin();
  if (!start) return std::nullopt;
  return to_seconds(time - *start);
}

}  // namespace oomdrill::recording
