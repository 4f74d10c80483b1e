#include <fmt/format.h>

#include "identity/identity.h"
#include "program.h"
#include "report.h"
#include "setup.h"

namespace oomdrill::probe {
namespace {

constexpr Nanoseconds kPatience = std::chrono::seconds(5);

std::string of_limit(const Reading& reading, std::uint64_t bytes) {
  const auto percent = percent_of_limit(reading, bytes);
  return percent ? fmt::format("{} ({:.1f} %)", format_bytes(bytes), *percent)
                 : format_bytes(bytes);
}

std::string describe_limit(const cgroup::EffectiveLimit& limit) {
  std::string text = !limit.is_cgroup_limit()
                         ? "none found"
                         : fmt::format("{} ({}: {})", format_bytes(*limit.bytes),
                                       cgroup::name(limit.source), limit.where);
  if (!limit.complete) text += "; an ancestor may set a lower one that cannot be seen from here";
  return text;
}

std::string for_a_human(const Reading& reading, const Subject& subject) {
  const cgroup::Sample& sample = reading.sample;
  std::string text;
  const auto line = [&text](std::string_view what, const std::string& value) {
    text += fmt::format("{:14}{}\n", what, value);
  };
  const auto bytes = [&line](std::string_view what, cgroup::Bytes value) {
    if (value) line(what, format_bytes(*value));
  };
  line("cgroup", fmt::format("{} ({})", subject.location->directory,
                             cgroup::name(subject.location->version)));
  line("limit", describe_limit(subject.limit));
  line("used", of_limit(reading, sample.current));
  if (const auto working_set = cgroup::working_set(sample)) {
    line("working set", of_limit(reading, *working_set) + ", used less inactive page cache");
  }
  if (const auto ecs = cgroup::ecs_used(sample, subject.location->version)) {
    line("as ECS counts", of_limit(reading, *ecs));
  }
  bytes("peak", sample.peak);
  bytes("swap", sample.swap);
  bytes("anonymous", sample.stat.anon);
  bytes("page cache", sample.stat.file);
  bytes("  of it shmem", sample.stat.shmem);
  bytes("kernel", sample.stat.kernel);
  if (const auto kills = sample.deciding().oom_kill) {
    line("OOM kills", fmt::format("{}{}", *kills,
                                  subject.counters_trusted ? "" : " (gVisor: not to be trusted)"));
  }
  if (const auto hits = sample.deciding().max) {
    line("limit hits", fmt::format("{} (reclaim may have solved them)", *hits));
  }
  if (sample.pressure) {
    line("pressure", fmt::format("some {:.2f} %, full {:.2f} % of the last 10 s",
                                 sample.pressure->some.avg10, sample.pressure->full.avg10));
  }
  return text;
}

}  // namespace

int snapshot(const SnapshotSettings& settings, const Machine& machine) {
  std::string warning;
  const auto task = identity::ask_endpoint(machine.environment, settings.ecs_timeout, &warning);
  if (!warning.empty()) complain(machine, warning);
  auto output = open_output(machine, settings.output, task, kPatience);
  if (!output) {
    complain(machine, output.error().error.line());
    return code(output.error().code);
  }
  auto source = open_source(machine, settings.cgroup, task);
  if (!source) {
    complain(machine, source.error().line());
    return code(ExitCode::unavailable);
  }
  Reading reading;
  if (const auto done = (*source)->read(reading); !done) {
    complain(machine, done.error().line());
    return code(ExitCode::unavailable);
  }
  const Subject& subject = (*source)->subject();
  bool written = false;
  if (output->encoder.name == "text") {
    written = print(machine.out, for_a_human(reading, subject));
  } else {
    telemetry::Event event("memory.sample", machine.clock->wall());
    const auto soft = reading.sample.soft_limit;
    const bool own = settings.cgroup.empty();
    add_sample(event, reading, subject.location->version,
               soft || !own ? soft : reservation_of(task));
    telemetry::Emitter emitter(output->encoder, output->context, *output->sink, 0);
    written = emitter.emit(event);
  }
  if (!written) {
    complain(machine, "standard output cannot be written");
    return code(ExitCode::write_error);
  }
  if (!settings.fail_above) return code(ExitCode::success);
  const auto percent = percent_of_limit(reading, demand(reading));
  if (!percent) {
    complain(machine,
             "--fail-above: no memory limit was found to compare with; set one "
             "(docker run --memory=512m)");
    return code(ExitCode::unavailable);
  }
  if (*percent <= *settings.fail_above) return code(ExitCode::success);
  complain(machine, fmt::format("the working set is at {:.1f} % of the limit, above {}%", *percent,
                                *settings.fail_above));
  return code(ExitCode::above);
}

}  // namespace oomdrill::probe
