#include "doctor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "identity/identity.h"
#include "pressure_trigger.h"
#include "program.h"
#include "report.h"
#include "setup.h"
#include "supervise/child.h"
#include "version.h"

namespace oomdrill::probe {
namespace {

/// A sentence is longer than a line of events may be: this is no event that shares a pipe.
constexpr std::size_t kLongestReport = 64 << 10;

Trial tried(int error) { return {true, error == 0 ? "" : std::strerror(error)}; }

/// Registers a trigger and drops it again.
Trial try_trigger(const std::string& path) {
  const auto fd = open_pressure_trigger(path);
  return tried(fd ? 0 : fd.error().errnum);
}

Trial try_event_control(const std::string& directory) {
  const Fd control(::open((directory + "/cgroup.event_control").c_str(), O_WRONLY | O_CLOEXEC));
  if (!control) return tried(errno);
  const Fd oom(::open((directory + "/memory.oom_control").c_str(), O_RDONLY | O_CLOEXEC));
  if (!oom) return tried(errno);
  const Fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return tried(errno);
  const auto line = fmt::format("{} {}", event.get(), oom.get());
  return tried(::write(control.get(), line.data(), line.size()) < 0 ? errno : 0);
}

Trial try_lock() {
  const int error = ::mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0 ? 0 : errno;
  if (error == 0) ::munlockall();
  return tried(error);
}

std::string describe(const Trial& trial) {
  if (!trial.applies) return "none here";
  return trial.failure.empty() ? "works" : trial.failure;
}

DoctorFacts examine(const DoctorSettings& settings, const Machine& machine) {
  DoctorFacts facts;
  utsname names{};
  if (::uname(&names) == 0) facts.kernel = names.release;
  facts.gvisor = is_gvisor(machine.root);

  std::string warning;
  const auto task = identity::ask_endpoint(machine.environment, settings.ecs_timeout, &warning);
  if (task) {
    facts.ecs = DoctorFacts::Ecs::answers;
    facts.ecs_detail =
        fmt::format("cluster {}, task {}", task->cluster.empty() ? "?" : task->cluster,
                    task->id.empty() ? "?" : task->id);
  } else if (!warning.empty()) {
    facts.ecs = DoctorFacts::Ecs::silent;
    facts.ecs_detail = warning;
  }

  if (auto source = open_source(machine, settings.cgroup, task)) {
    if (const auto done = (*source)->read(facts.reading)) {
      facts.subject = (*source)->subject();
      facts.pollpri.applies = (*source)->events_fd() >= 0;
    } else {
      facts.blind = done.error().line();
    }
  } else {
    facts.blind = source.error().line();
  }
  if (facts.subject) {
    const std::string directory = machine.root / facts.subject->location->directory;
    if (facts.subject->location->version == cgroup::Version::v1) {
      facts.event_control = try_event_control(directory);
    } else {
      facts.cgroup_trigger = try_trigger(directory + "/memory.pressure");
    }
  }
  facts.system_trigger = try_trigger(machine.root / "/proc/pressure/memory");
  rlimit limit{};
  if (::getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    facts.memlock_limit = limit.rlim_cur;
  }
  facts.lock = try_lock();
  facts.oom_score_adj = read_oom_score_adj(machine.root, "self");
  return facts;
}

struct Counter {
  std::string_view name;
  bool there;
};

std::vector<Counter> counters_of(const Reading& reading) {
  const cgroup::Sample& sample = reading.sample;
  const cgroup::Counters& counters = sample.deciding();
  return {{"oom_kill", counters.oom_kill.has_value()},
          {"oom", counters.oom.has_value()},
          {"oom_group_kill", counters.oom_group_kill.has_value()},
          {"max", counters.max.has_value()},
          {"events_local", sample.own.oom_kill && sample.hierarchical.oom_kill},
          {"peak", sample.peak.has_value()},
          {"swap", sample.swap.has_value()},
          {"stat", sample.stat.anon.has_value()},
          {"pressure", sample.pressure.has_value()},
          {"host_oom_kill", reading.host_oom_kills.has_value()}};
}

telemetry::Event doctor_event(const DoctorFacts& facts, WallTime time,
                              const std::vector<std::pair<std::string, std::string>>& sentences) {
  telemetry::Event event("probe.doctor", time);
  event.text("version", kVersion).text("kernel", facts.kernel).boolean("gvisor", facts.gvisor);
  event.boolean("watchable", facts.subject.has_value());
  if (facts.subject) {
    const Subject& subject = *facts.subject;
    event.text("cgroup_version", cgroup::name(subject.location->version))
        .text("cgroup_layout", cgroup::name(subject.location->layout))
        .text("cgroup_path", subject.location->directory)
        .text("kernel_path", subject.location->kernel_path)
        .boolean("ancestors_hidden", subject.location->ancestors_hidden)
        .boolean("read_only", subject.location->read_only);
    add_limit(event, subject.limit);
    event.text("limit_where", subject.limit.where);
    add_considered(event, subject.limit);
    event.number("used_bytes", facts.reading.sample.current);
    event.begin("counters");
    for (const Counter& counter : counters_of(facts.reading)) {
      event.boolean(counter.name, counter.there);
    }
    event.end();
  } else {
    event.text("reason", facts.blind);
  }
  event.begin("notifications");
  const auto trial = [&event](std::string_view name, const Trial& t) {
    if (t.applies) event.text(name, t.failure.empty() ? std::string_view("works") : t.failure);
  };
  trial("poll_pollpri", facts.pollpri);
  trial("event_control", facts.event_control);
  trial("psi_trigger_cgroup", facts.cgroup_trigger);
  trial("psi_trigger_system", facts.system_trigger);
  event.end();
  event.number("memlock_limit_bytes", facts.memlock_limit).boolean("lockable", facts.lock.works());
  if (facts.oom_score_adj) event.integer("oom_score_adj", *facts.oom_score_adj);
  event.text("ecs_endpoint", facts.ecs == DoctorFacts::Ecs::absent    ? "absent"
                             : facts.ecs == DoctorFacts::Ecs::answers ? "answers"
                                                                      : "silent");
  if (!facts.ecs_detail.empty()) event.text("ecs_detail", facts.ecs_detail);
  event.begin("guarantees");
  for (const auto& [topic, sentence] : sentences) event.text(topic, sentence);
  event.end();
  return event;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> guarantees(const DoctorFacts& facts) {
  std::vector<std::pair<std::string, std::string>> out;
  if (!facts.subject) {
    out.emplace_back("oom_kills",
                     "No memory cgroup can be read, so nothing is sampled and an OOM kill cannot "
                     "be told from another SIGKILL. oomprobe run still runs a command, forwards "
                     "signals and exits as the command does.");
    return out;
  }
  const Subject& subject = *facts.subject;
  const cgroup::Sample& sample = facts.reading.sample;
  const bool v2 = subject.location->version == cgroup::Version::v2;
  if (sample.own.oom_kill_disable == 1U) {
    out.emplace_back("oom_killer_off",
                     "The OOM killer is off here (oom_kill_disable; docker run "
                     "--oom-kill-disable): at the limit nothing is killed, and every process that "
                     "wants memory hangs until some is freed. Nothing tells of that but usage at "
                     "the limit and memory.pressure.");
  }
  if (!subject.counters_trusted) {
    out.emplace_back("oom_kills",
                     "This kernel is gVisor's. It counts no OOM kills: one cannot be told from "
                     "another SIGKILL, and is reported as killed with confidence unknown.");
  } else if (!sample.deciding().oom_kill) {
    out.emplace_back("oom_kills",
                     "This kernel does not count OOM kills (oom_kill, Linux 4.13): one cannot be "
                     "told from another SIGKILL, and is reported as killed with confidence "
                     "unknown.");
  } else {
    out.emplace_back("oom_kills",
                     "An OOM kill of the command that oomprobe run started is told from every "
                     "other SIGKILL: the kernel counts it before it kills.");
    out.emplace_back(
        "other_processes",
        v2 ? "An OOM kill of any other process here, or in a cgroup below, is seen at once: the "
             "kernel wakes the probe (POLLPRI on memory.events)."
           : "An OOM kill of any other process here is seen at the next look, after --interval at "
             "the latest and 100 ms near the limit: on cgroup v1 nothing wakes a probe in a "
             "container. In a cgroup below it is not seen.");
  }
  if (v2 && (sample.own.oom || sample.hierarchical.oom)) {
    out.emplace_back("whose_limit",
                     "A kill by this cgroup's own limit is told for certain (the oom counter). "
                     "Whether it was an ancestor's limit or the host is told as likely.");
  } else if (!v2) {
    out.emplace_back("whose_limit",
                     "Whose limit a kill enforced is told by peak usage, since cgroup v1 has no "
                     "oom counter: certain when the peak has just reached the own limit, else "
                     "likely.");
  }
  if (!subject.limit.is_cgroup_limit()) {
    out.emplace_back("limit", subject.limit.complete
                                  ? "No memory limit is set, so thresholds and forecasts are off."
                                  : "No memory limit can be seen, so thresholds and forecasts are "
                                    "off; one that an ancestor sets is hidden by the cgroup "
                                    "namespace.");
  } else if (!subject.limit.complete) {
    out.emplace_back("limit",
                     "The limit is this cgroup's own. An ancestor (the ECS task, a pod) may set a "
                     "lower one, which the cgroup namespace hides: a kill can come before this "
                     "limit is reached.");
  } else {
    out.emplace_back("limit", "The limit is the lowest that binds here.");
  }
  out.emplace_back("lateness",
                   facts.lock.works()
                       ? "The probe locks its memory, so looks stay in time when the cgroup "
                         "thrashes at its limit."
                       : "The probe cannot lock its memory (" + facts.lock.failure +
                             "), so a look may come some 0.2 s late when the cgroup thrashes at "
                             "its limit; raise RLIMIT_MEMLOCK (docker run --ulimit memlock=-1).");
  if (facts.oom_score_adj) {
    out.emplace_back("survival",
                     *facts.oom_score_adj < 1000
                         ? "The kernel takes the command before the probe: oomprobe run raises "
                           "the command's oom_score_adj, which needs no privilege."
                         : "The probe's own oom_score_adj is the highest already, so the kernel "
                           "may take the probe; what it wrote before stays written.");
  }
  if (facts.ecs == DoctorFacts::Ecs::silent) {
    out.emplace_back("identity",
                     "The ECS metadata endpoint does not answer: events carry no names, and a "
                     "task's limit stays unknown.");
  }
  return out;
}

std::string doctor_text(const DoctorFacts& facts) {
  std::string text;
  const auto line = [&text](std::string_view what, const std::string& value) {
    text += fmt::format("{:20}{}\n", what, value);
  };
  line("oomprobe", std::string(kVersion));
  line("kernel", facts.kernel + (facts.gvisor ? " (gVisor)" : ""));
  if (facts.subject) {
    const auto& location = *facts.subject->location;
    const auto& limit = facts.subject->limit;
    line("cgroup", fmt::format("{} ({}{})", location.directory, cgroup::name(location.version),
                               location.layout == cgroup::Layout::hybrid ? ", hybrid layout" : ""));
    line("seen as", location.kernel_path);
    line("mount",
         fmt::format("{}, {}{}", location.mount, location.read_only ? "read-only" : "writable",
                     location.ancestors_hidden ? ", what is above it is hidden" : ""));
    line("limit", limit.is_cgroup_limit() ? fmt::format("{} ({})", format_bytes(*limit.bytes),
                                                        cgroup::name(limit.source))
                                          : std::string("none found"));
    for (const auto& candidate : limit.considered) {
      line("", fmt::format("{:14}{:12}{}", cgroup::name(candidate.source),
                           candidate.bytes ? format_bytes(*candidate.bytes) : "no limit",
                           candidate.where));
    }
    line("used", format_bytes(facts.reading.sample.current));
    std::string there, missing;
    for (const Counter& counter : counters_of(facts.reading)) {
      std::string& list = counter.there ? there : missing;
      list += (list.empty() ? "" : ", ") + std::string(counter.name);
    }
    line("counters", there.empty() ? "none" : there);
    if (!missing.empty()) line("  absent", missing);
  } else {
    line("cgroup", "none: " + facts.blind);
  }
  line("POLLPRI",
       facts.pollpri.applies ? "memory.events can be waited for" : describe(facts.pollpri));
  line("event_control",
       describe(facts.event_control) + (facts.event_control.works() ? " (not relied on)" : ""));
  line("PSI trigger", fmt::format("on the cgroup: {}; on the system: {}",
                                  describe(facts.cgroup_trigger), describe(facts.system_trigger)));
  line("memory lock",
       fmt::format("{} (RLIMIT_MEMLOCK {})", describe(facts.lock),
                   facts.memlock_limit ? format_bytes(*facts.memlock_limit) : "unlimited"));
  line("oom_score_adj", facts.oom_score_adj ? std::to_string(*facts.oom_score_adj) : "not known");
  line("ECS endpoint",
       facts.ecs == DoctorFacts::Ecs::absent ? "absent: not on ECS" : facts.ecs_detail);
  text += "\nWhat follows:\n";
  for (const auto& [topic, sentence] : guarantees(facts)) text += "- " + sentence + "\n";
  return text;
}

int doctor(const DoctorSettings& settings, const Machine& machine) {
  if (settings.format != "text" && settings.format != "json") {
    complain(machine,
             "--format: '" + settings.format + "' is no format of doctor; use text or json");
    return code(ExitCode::usage);
  }
  const auto encoder = telemetry::choose_encoder(settings.format, true, false);
  if (!encoder) {
    complain(machine, Error(encoder.error()).within("--format").line());
    return code(ExitCode::usage);
  }
  const DoctorFacts facts = examine(settings, machine);
  std::string text;
  if (encoder->name == "text") {
    text = doctor_text(facts);
  } else {
    const auto sentences = guarantees(facts);
    const auto event = doctor_event(facts, machine.clock->wall(), sentences);
    text.resize(kLongestReport);
    text.resize(encoder->encode(event, 1, {}, text));
  }
  if (!print(machine.out, text)) {
    complain(machine, "standard output cannot be written");
    return code(ExitCode::write_error);
  }
  return code(facts.subject ? ExitCode::success : ExitCode::unavailable);
}

}  // namespace oomdrill::probe
