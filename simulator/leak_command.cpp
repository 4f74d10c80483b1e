#include <unistd.h>

#include <cmath>

#include "allocator.h"
#include "container.h"
#include "identity/identity.h"
#include "leak.h"
#include "ledger.h"
#include "lists.h"
#include "observers.h"
#include "options.h"
#include "outcome.h"
#include "pacer.h"
#include "report.h"
#include "resident_size.h"
#include "setup.h"
#include "share.h"
#include "subcommand.h"
#include "supervisor.h"
#include "telemetry/encoder.h"
#include "telemetry/sink.h"

namespace oomdrill::simulator {
namespace {

/// A reader that pauses must not slow the leak down: what it does not take within this time is
/// dropped and counted.
constexpr Nanoseconds kPatience = std::chrono::milliseconds(50);
/// leak.started and leak.stopped are held for a reader that pauses.
constexpr std::size_t kHeldLines = 2;

/// All that is found out and checked before the first process leaks.
struct Prepared {
  Settings settings;
  memory::Choice kind;
  telemetry::Encoder encoder;
  std::optional<ecs::Task> task;
  Container container;
  std::optional<std::uint64_t> until_bytes;
  bool is_terminal;
  std::optional<double> rate;  ///< of all workers together, bytes a second
};

Outcome<Prepared> prepare(const Arguments& arguments, const Machine& machine) {
  auto settings = read_settings(arguments);
  if (!settings) return refuse(kUsage, settings.error());
  const auto kind = set_up_kind(machine.kinds, *settings);
  if (!kind) return tl::unexpected<Failure>(kind.error());
  const auto pacer = set_up_pacer(*settings, 1);
  if (!pacer) return tl::unexpected<Failure>(pacer.error());
  auto rate = pacer->nominal_rate();
  if (rate) *rate *= static_cast<double>(settings->workers);
  if (!settings->allocator.empty()) {
    if (auto status = ensure_allocator(settings->allocator, machine.environment, machine.preload);
        !status) {
      return refuse(kUnavailable,
                    std::move(status.error()).within("--allocator " + settings->allocator));
    }
  }
  const bool in_ecs = machine.environment(ecs::kEndpointVariable) != nullptr;
  const bool is_terminal = ::isatty(machine.out) == 1;
  auto encoder = telemetry::choose_encoder(settings->format, is_terminal, in_ecs);
  if (!encoder) return refuse(kUsage, Error(encoder.error()).within("--format"));

  std::string warning;
  auto task = identity::ask_endpoint(machine.environment, settings->ecs_timeout, &warning);
  if (!warning.empty()) complain(machine.err, warning);
  auto container = Container::open(machine.root, task);
  if (!container) return refuse(kUnavailable, container.error());
  if (auto status = check_room(*container, settings->allow_unlimited); !status) {
    return refuse(kUnavailable, status.error());
  }
  const auto until_bytes = resolve_target(*settings, *container);
  if (!until_bytes) return tl::unexpected<Failure>(until_bytes.error());
  return Prepared{std::move(*settings),
                  *kind,
                  *encoder,
                  std::move(task),
                  std::move(*container),
                  *until_bytes,
                  is_terminal,
                  rate && std::isfinite(*rate) ? rate : std::nullopt};
}

/// Where the events of one process go.
struct Output {
  /// `owner`: who has the terminal's last row, if these are lines on a terminal.
  Output(const Prepared& prepared, const Machine& machine, Row owner, const Author& author)
      : row(prepared.is_terminal && prepared.encoder.name == "text" ? owner : Row::none),
        sink(machine.out, kPatience),
        emitter(prepared.encoder, identity::make_context(prepared.task),
                row == Row::others ? static_cast<telemetry::Sink&>(clearing) : sink, kHeldLines),
        report(emitter, sink, *machine.clock, machine.out, row, author) {}

  /// What could not be written is told.
  void end(const Machine& machine) {
    emitter.flush();
    if (const auto dropped = emitter.dropped() + emitter.held(); dropped > 0) {
      complain(machine.err, fmt::format("{} of {} events could not be written to standard output",
                                        dropped, dropped + emitter.emitted()));
    }
  }

  Row row;
  telemetry::FdSink sink;
  ClearingSink clearing{sink};
  telemetry::Emitter emitter;
  Report report;
};

/// One process's leak, from the first byte to the last.
Outcome<ExitCode> leak(Prepared& prepared, const Machine& machine, std::uint64_t number,
                       const Author& author) {
  Settings& settings = prepared.settings;
  const memory::Kind& kind = *prepared.kind.kind;
  Container& container = prepared.container;
  auto pacer = set_up_pacer(settings, number);
  if (!pacer) return tl::unexpected<Failure>(pacer.error());
  // Of several workers none has the terminal's row: their parent has it.
  Output output(prepared, machine, settings.workers == 1 ? Row::own : Row::others, author);
  const auto memory = prepared.kind.make(memory::Content(random_seed(), settings.filling));
  Ledger ledger(*memory, kind);
  // Once more: what a kind needs before its first byte is no part of the leak.
  if (auto status = container.refresh_all(); !status) return refuse(kUnavailable, status.error());
  const memory::Claim claim = prepared.kind.claim();
  const Proof proof(claim, container.sample());
  const ResidentSize rss(machine.root);
  std::optional<Allocator> heap;
  if (kind.name == "heap") heap = Allocator::serving(machine.environment);

  const auto rate = pacer->nominal_rate();
  const cgroup::EffectiveLimit& limit = container.effective();
  output.report.started({.pattern = settings.pattern,
                         .kind = settings.kind.empty() ? kind.name : settings.kind,
                         .counter = name(claim.counter),
                         .overhead = claim.overhead,
                         .content = settings.content,
                         .touch_share = settings.touch_share,
                         .rate = rate && std::isfinite(*rate) ? rate : std::nullopt,
                         .seed = settings.seed,
                         .until = settings.until,
                         .until_bytes = prepared.until_bytes,
                         .basis = name(settings.basis),
                         .then = name(settings.then),
                         .max_bytes = settings.max_bytes,
                         .duration = settings.duration,
                         .cgroup_version = cgroup::name(container.location().version),
                         .limit = limit.bytes,
                         .limit_source = cgroup::name(limit.source),
                         .limit_where = limit.where,
                         .limit_complete = limit.complete,
                         .used = container.used(),
                         .allocator = heap ? &*heap : nullptr});
  Leak leak({*machine.clock, *pacer, ledger, container, output.report,
             settings.workers == 1 ? &proof : nullptr, heap ? &*heap : nullptr, *machine.stop},
            settings, prepared.until_bytes, [&rss] { return rss.read(); });
  const Reason reason = leak.run();
  output.end(machine);
  if (leak.error()) {
    return refuse(reason == Reason::cgroup_lost ? kUnavailable : kNoMemory, *leak.error());
  }
  return kDone;
}

int exit_code(const Outcome<ExitCode>& outcome, const Machine& machine) {
  if (outcome) return *outcome;
  complain(machine.err, outcome.error().error.line());
  return outcome.error().code;
}

/// In a child process.
int work(Prepared& prepared, const Machine& machine, const Supervisor::Worker& worker) {
  Settings& settings = prepared.settings;
  const std::uint64_t part = worker.number - 1;
  if (settings.max_bytes && !settings.each) {
    settings.max_bytes = share(*settings.max_bytes, part, settings.workers);
  }
  // Of a shared plan each takes its part of the same steps; plans of their own are not in step.
  if (settings.each) settings.seed += part;
  static_cast<void>(prepared.container.refresh());
  return exit_code(
      leak(prepared, machine, worker.number, {.worker = worker.number, .restart = worker.restart}),
      machine);
}

Outcome<int> supervise(Prepared& prepared, const Machine& machine) {
  const Settings& settings = prepared.settings;
  const bool several = settings.workers > 1;
  Output output(prepared, machine, several ? Row::own : Row::others, {});
  Supervisor supervisor(
      {*machine.clock, prepared.container, output.report, *machine.stop, machine.root,
       fmt::format("{} x {}", settings.workers, settings.pattern), prepared.rate},
      settings.workers, settings.restarts, [&prepared, &machine](const Supervisor::Worker& worker) {
        return work(prepared, machine, worker);
      });
  const auto ending = supervisor.run();
  if (!ending) return refuse(kInternal, ending.error());
  // A single worker that lived has told its end.
  if (several || ending->outcome() != "survived") {
    output.report.all_ended(supervisor.state(), *ending, supervisor.restarted());
  }
  if (!settings.expect) {
    output.end(machine);
    return ending->failure;
  }
  const Verdict verdict = judge(*settings.expect, *ending);
  output.report.verdict(*settings.expect, verdict, *ending, supervisor.restarted());
  output.end(machine);
  if (verdict == Verdict::met) return kDone;
  const std::string where = "--expect " + std::string(name(*settings.expect));
  if (verdict == Verdict::unjudged) {
    return refuse(kUnjudged, {ending->unknown_kills > 0
                                  ? "a worker was killed, and no OOM counter says by whom"
                                  : "the run was too short to see a plateau",
                              where});
  }
  std::string what = "it ended as " + std::string(ending->outcome());
  if (ending->outcome() == "survived") {
    what += ending->other_oom_kills > 0
                ? ", and another process was OOM-killed"
                : fmt::format(", at a peak of {}", format_bytes(ending->peak));
    if (settings.expect == Expect::plateau && ending->late_growth) {
      what +=
          fmt::format(", which the last third raised by {}", format_bytes(*ending->late_growth));
    }
  }
  return refuse(kUnmet, {what, where});
}

}  // namespace

int run_leak(const Arguments& arguments, const Machine& machine) {
  std::string text;
  if (arguments.flag("list-patterns")) text = plan::list_patterns();
  if (arguments.flag("list-kinds")) text = list_kinds(machine.kinds);
  if (!text.empty()) {
    return answer(machine.out, machine.err, text);
  }
  auto prepared = prepare(arguments, machine);
  if (!prepared) {
    complain(machine.err, prepared.error().error.line());
    return prepared.error().code;
  }
  if (!prepared->settings.supervised()) return exit_code(leak(*prepared, machine, 1, {}), machine);
  const auto code = supervise(*prepared, machine);
  if (code) return *code;
  complain(machine.err, code.error().error.line());
  return code.error().code;
}

}  // namespace oomdrill::simulator
