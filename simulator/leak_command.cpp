#include <unistd.h>

#include <cmath>

#include "container.h"
#include "identity/identity.h"
#include "leak.h"
#include "ledger.h"
#include "lists.h"
#include "options.h"
#include "outcome.h"
#include "pacer.h"
#include "report.h"
#include "resident_size.h"
#include "setup.h"
#include "subcommand.h"
#include "telemetry/encoder.h"
#include "telemetry/sink.h"

namespace oomdrill::simulator {
namespace {

/// A reader that pauses must not slow the leak down: what it does not take within this time is
/// dropped and counted.
constexpr Nanoseconds kPatience = std::chrono::milliseconds(50);
/// leak.started and leak.stopped are held for a reader that pauses.
constexpr std::size_t kHeldLines = 2;

Outcome<ExitCode> leak(const Arguments& arguments, const Machine& machine) {
  const auto settings = read_settings(arguments);
  if (!settings) return refuse(kUsage, settings.error());
  const auto kind = set_up_kind(machine.kinds, *settings);
  if (!kind) return tl::unexpected<Failure>(kind.error());
  auto pacer = set_up_pacer(*settings);
  if (!pacer) return tl::unexpected<Failure>(pacer.error());
  const bool in_ecs = machine.environment(ecs::kEndpointVariable) != nullptr;
  const bool is_terminal = ::isatty(machine.out) == 1;
  const auto encoder = telemetry::choose_encoder(settings->format, is_terminal, in_ecs);
  if (!encoder) return refuse(kUsage, Error(encoder.error()).within("--format"));

  std::string warning;
  const auto task = identity::ask_endpoint(machine.environment, settings->ecs_timeout, &warning);
  if (!warning.empty()) complain(machine.err, warning);
  auto container = Container::open(machine.root, task);
  if (!container) return refuse(kUnavailable, container.error());
  if (auto status = check_room(*container, settings->allow_unlimited); !status) {
    return refuse(kUnavailable, status.error());
  }
  const auto until_bytes = resolve_target(*settings, *container);
  if (!until_bytes) return tl::unexpected<Failure>(until_bytes.error());

  telemetry::FdSink sink(machine.out, kPatience);
  telemetry::Emitter emitter(*encoder, identity::make_context(task), sink, kHeldLines);
  Report report(emitter, sink, *machine.clock,
                is_terminal && encoder->name == "text" ? machine.out : -1);
  const auto memory = (*kind)->make(memory::Content(random_seed()));
  Ledger ledger(*memory, **kind);
  const ResidentSize rss(machine.root);

  const auto rate = pacer->nominal_rate();
  const cgroup::EffectiveLimit& limit = container->effective();
  report.started({.pattern = settings->pattern,
                  .kind = (*kind)->name,
                  .rate = rate && std::isfinite(*rate) ? rate : std::nullopt,
                  .seed = settings->seed,
                  .until = settings->until,
                  .until_bytes = *until_bytes,
                  .basis = name(settings->basis),
                  .then = name(settings->then),
                  .max_bytes = settings->max_bytes,
                  .cgroup_version = cgroup::name(container->location().version),
                  .limit = limit.bytes,
                  .limit_source = cgroup::name(limit.source),
                  .limit_where = limit.where,
                  .limit_complete = limit.complete,
                  .used = container->used()});
  Leak leak({*machine.clock, *pacer, ledger, *container, report, *machine.stop}, *settings,
            *until_bytes, [&rss] { return rss.read(); });
  const Reason reason = leak.run();
  emitter.flush();
  if (const auto dropped = emitter.dropped() + emitter.held(); dropped > 0) {
    complain(machine.err, fmt::format("{} of {} events could not be written to standard output",
                                      dropped, dropped + emitter.emitted()));
  }
  if (leak.error()) {
    return refuse(reason == Reason::cgroup_lost ? kUnavailable : kNoMemory, *leak.error());
  }
  return kDone;
}

}  // namespace

int run_leak(const Arguments& arguments, const Machine& machine) {
  if (!arguments.command.empty()) {
    complain(machine.err, "--: leaksim runs no command; see oomprobe run --help");
    return kUsage;
  }
  std::string text;
  if (arguments.flag("list-patterns")) text = list_patterns();
  if (arguments.flag("list-kinds")) text = list_kinds(machine.kinds);
  if (!text.empty()) {
    print(machine.out, text);
    return kDone;
  }
  const auto code = leak(arguments, machine);
  if (code) return *code;
  complain(machine.err, code.error().error.line());
  return code.error().code;
}

}  // namespace oomdrill::simulator
