#include "report.h"

#include <array>
#include <charconv>
#include <cmath>

namespace oomdrill::probe {
namespace {}  // namespace

double rounded(double value, int decimals) {
  const double factor = std::pow(10, decimals);
  return std::round(value * factor) / factor;
}

std::optional<double> percent(const Reading& reading, std::uint64_t bytes) {
  const auto exact = percent_of_limit(reading, bytes);
  return exact ? std::optional(rounded(*exact, 2)) : std::nullopt;
}

void add_limit(telemetry::Event& event, const cgroup::EffectiveLimit& limit) {
  event.number("limit_bytes", limit.bytes)
      .text("limit_source", cgroup::name(limit.source))
      .boolean("limit_complete", limit.complete);
}

void add_considered(telemetry::Event& event, const cgroup::EffectiveLimit& limit) {
  using cgroup::LimitSource;
  constexpr std::array kSources = {LimitSource::own,          LimitSource::ancestor,
                                   LimitSource::hierarchical, LimitSource::ecs_container,
                                   LimitSource::ecs_task,     LimitSource::host};
  event.begin("limits_considered");
  for (const LimitSource source : kSources) {
    bool asked = false;
    cgroup::Bytes least;
    for (const auto& candidate : limit.considered) {
      if (candidate.source != source) continue;
      asked = true;
      if (candidate.bytes && (!least || *candidate.bytes < *least)) least = candidate.bytes;
    }
    if (!asked) continue;
    if (least) {
      event.number(cgroup::name(source), *least);
    } else {
      event.text(cgroup::name(source), "max");
    }
  }
  event.end();
}

void add_usage(telemetry::Event& event, const Reading& reading) {
  const std::uint64_t used = reading.sample.current;
  event.number("used_bytes", used)
      .number("limit_bytes", reading.limit)
      .real("used_percent", percent(reading, used));
  if (reading.limit) {
    event.number("headroom_bytes", *reading.limit > used ? *reading.limit - used : 0);
  }
}

std::optional<double> memory_utilization(const Reading& reading, cgroup::Version version,
                                         cgroup::Bytes reservation) {
  const auto percent = cgroup::ecs_utilization(cgroup::ecs_used(reading.sample, version),
                                               reading.limit ? reading.limit : reservation);
  if (!percent) return std::nullopt;
  return rounded(*percent, 2);
}

void add_sample(telemetry::Event& event, const Reading& reading, cgroup::Version version,
                cgroup::Bytes reservation) {
  const cgroup::Sample& sample = reading.sample;
  add_usage(event, reading);
  const auto working_set = cgroup::working_set(sample);
  event.number("working_set_bytes", working_set)
      .number("ecs_used_bytes", cgroup::ecs_used(sample, version))
      .number("peak_bytes", sample.peak)
      .number("swap_bytes", sample.swap)
      .number("anon_bytes", sample.stat.anon)
      .number("file_bytes", sample.stat.file)
      .number("shmem_bytes", sample.stat.shmem)
      .number("kernel_bytes", sample.stat.kernel)
      .number("slab_bytes", sample.stat.slab)
      .number("inactive_file_bytes", sample.stat.inactive_file)
      .number("active_file_bytes", sample.stat.active_file)
      .number("oom_kills", sample.deciding().oom_kill)
      .number("oom_max_hits", sample.deciding().max);
  if (sample.pressure) {
    event.real("psi_some_avg10_percent", sample.pressure->some.avg10)
        .real("psi_full_avg10_percent", sample.pressure->full.avg10)
        .number("psi_some_total_us", sample.pressure->some.total_us)
        .number("psi_full_total_us", sample.pressure->full.total_us);
  }
  if (const auto utilization = memory_utilization(reading, version, reservation)) {
    event.metric("MemoryUtilization", *utilization, telemetry::Unit::percent);
  }
  if (reservation) {
    event.metric("memory_reservation", static_cast<double>(*reservation), telemetry::Unit::bytes);
  }
  // 0 in each period without a kill, so that an alarm can return to OK. Nobody can say so where
  // none are counted.
  if (sample.deciding().oom_kill) event.metric("oom_killed", 0, telemetry::Unit::count);
}

void add_deltas(telemetry::Event& event, const cgroup::Counters& before,
                const cgroup::Counters& after) {
  const auto delta = [&event](std::string_view name, cgroup::Count from, cgroup::Count to) {
    if (from && to) event.number(name, *to >= *from ? *to - *from : 0);
  };
  delta("oom", before.oom, after.oom);
  delta("max", before.max, after.max);
  delta("oom_kill", before.oom_kill, after.oom_kill);
  delta("oom_group_kill", before.oom_group_kill, after.oom_group_kill);
}

void add_victims(telemetry::Event& event, const Victims& victims, std::uint64_t kills,
                 PidTexts& pids) {
  if (victims.size == 0) {
    event.null("victim");
  } else {
    const Victim& first = victims.named.front();
    event.begin("victim").integer("pid", first.facts.pid);
    if (!first.facts.name.view().empty()) event.text("name", first.facts.name.view());
    if (!first.facts.command.view().empty()) event.text("command", first.facts.command.view());
    if (first.facts.rss_bytes > 0) event.number("rss_bytes", first.facts.rss_bytes);
    if (first.facts.oom_score) event.integer("oom_score", *first.facts.oom_score);
    event.text("confidence", first.certain ? "certain" : "likely").end();
  }
  if (victims.size > 1) {
    event.begin("also_killed");
    for (std::size_t i = 1; i < victims.size; ++i) {
      std::array<char, 12> digits{};
      const auto* end =
          std::to_chars(digits.data(), digits.data() + digits.size(), victims.named[i].facts.pid)
              .ptr;
      pids[i] = ShortText<12>(
          std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data())));
      event.text(pids[i].view(), victims.named[i].facts.name.view());
    }
    event.end();
  }
  if (kills > victims.size) event.number("victims_unknown", kills - victims.size);
}

void add_counters(telemetry::Event& event, std::string_view name,
                  const cgroup::Counters& counters) {
  event.begin(name)
      .number("oom", counters.oom)
      .number("max", counters.max)
      .number("oom_kill", counters.oom_kill)
      .number("oom_group_kill", counters.oom_group_kill)
      .end();
}

}  // namespace oomdrill::probe
