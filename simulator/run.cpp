#include "run.h"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>

#include "console.h"
#include "container.h"
#include "exit_codes.h"
#include "identity/identity.h"
#include "leak.h"
#include "ledger.h"
#include "options.h"
#include "pacer.h"
#include "report.h"
#include "subcommand.h"
#include "telemetry/encoder.h"
#include "telemetry/sink.h"
#include "version.h"

namespace oomdrill::simulator {
namespace {

/// A reader that pauses must not slow the leak down: what it does not take within this time is
/// dropped and counted.
constexpr Nanoseconds kPatience = std::chrono::milliseconds(50);
/// leak.started and leak.stopped are held for a reader that pauses.
constexpr std::size_t kHeldLines = 2;

struct Failure {
  ExitCode code;
  Error error;
};
template <class T>
using Outcome = tl::expected<T, Failure>;

tl::unexpected<Failure> refuse(ExitCode code, Error error) {
  return tl::unexpected<Failure>(Failure{code, std::move(error)});
}

std::string list_kinds(std::span<const memory::Kind> kinds) {
  std::string text;
  for (const memory::Kind& kind : kinds) {
    text += fmt::format("{}: {}", kind.name, kind.help);
    if (const auto status = kind.supported(); !status) {
      text += " (not here: " + status.error().line() + ")";
    }
    text += "\n";
  }
  return text;
}

/// What suits the pattern, or what was asked for where that does.
Result<const memory::Kind*> choose_kind(std::span<const memory::Kind> kinds,
                                        const Settings& settings,
                                        std::span<const plan::Choice> phases) {
  const auto needs_blocks =
      std::find_if(phases.begin(), phases.end(),
                   [](const plan::Choice& phase) { return phase.pattern->needs_blocks; });
  const std::string_view suits = needs_blocks != phases.end() ? "heap" : "anon";
  const auto kind = memory::find_kind(kinds, settings.kind.empty() ? suits : settings.kind);
  if (!kind) return fail(Error(kind.error()).within("--kind"));
  if (needs_blocks != phases.end() && !(*kind)->small_blocks) {
    return fail(fmt::format("pattern '{}' frees single blocks, and memory of kind '{}' cannot",
                            needs_blocks->pattern->name, (*kind)->name),
                "--kind", "use --kind heap");
  }
  return *kind;
}

/// The usage at which growth ends; nullopt: it does not.
Outcome<std::optional<std::uint64_t>> resolve_target(const Settings& settings,
                                                     const Container& container) {
  if (!settings.target) return std::nullopt;
  const auto limit = container.limit();
  const auto bytes = settings.target->resolve(limit);
  if (!bytes) {
    return refuse(limit ? kUsage : kUnavailable, Error(bytes.error()).within("--until"));
  }
  const std::string where = "--until " + settings.until;
  if (limit && *bytes > *limit) {
    return refuse(kUsage, {fmt::format("lies above the memory limit of {}", format_bytes(*limit)),
                           where, "use --until oom to grow until the kill"});
  }
  if (container.used() >= *bytes) {
    return refuse(kUsage, {fmt::format("the cgroup uses {} already, and the target is {}",
                                       format_bytes(container.used()), format_bytes(*bytes)),
                           where, "give a higher target"});
  }
  return *bytes;
}

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  if (::getrandom(&seed, sizeof seed, 0) != sizeof seed)
    seed = static_cast<std::uint64_t>(::getpid());
  return seed;
}

/// Resident bytes out of /proc/self/statm, through a held descriptor.
class ResidentSize {
 public:
  explicit ResidentSize(const FileRoot& root) {
    if (auto fd = open_file(root / "/proc/self/statm", O_RDONLY)) fd_ = std::move(*fd);
  }
  [[nodiscard]] std::optional<std::uint64_t> read() const {
    std::array<char, 128> text;
    const auto size = fd_ ? pread_all(fd_.get(), text) : -1;
    if (size <= 0) return std::nullopt;
    const std::string_view line(text.data(), static_cast<std::size_t>(size));
    const auto space = line.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    std::uint64_t pages = 0;
    const auto status =
        std::from_chars(line.data() + space + 1, line.data() + line.size(), pages).ec;
    if (status != std::errc{}) return std::nullopt;
    return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  }

 private:
  Fd fd_;
};

Outcome<Arguments> read_arguments(std::span<const std::string> texts, const Machine& machine) {
  auto arguments = parse_arguments(kCommand, texts, machine.environment);
  if (!arguments) return refuse(kUsage, std::move(arguments.error()));
  if (!arguments->command.empty()) {
    return refuse(kUsage, {"leaksim runs no command", "--", "see oomprobe run --help"});
  }
  return std::move(*arguments);
}

Outcome<ExitCode> leak(const Arguments& arguments, const Machine& machine) {
  const auto settings = read_settings(arguments);
  if (!settings) return refuse(kUsage, settings.error());
  const auto phases = plan::parse_pattern(settings->pattern);
  if (!phases) return refuse(kUsage, phases.error());
  const auto kind = choose_kind(machine.kinds, *settings, *phases);
  if (!kind) return refuse(kUsage, kind.error());
  auto plan = plan::make_plan(settings->pattern, {}, settings->seed);
  auto nominal = plan::make_plan(settings->pattern, {}, settings->seed);
  if (!plan || !nominal) {
    return refuse(kUsage, Error((plan ? nominal : plan).error()).within(settings->pattern_origin));
  }
  const bool in_ecs = machine.environment(ecs::kEndpointVariable) != nullptr;
  const bool is_terminal = ::isatty(machine.out) == 1;
  const auto encoder = telemetry::choose_encoder(settings->format, is_terminal, in_ecs);
  if (!encoder) return refuse(kUsage, Error(encoder.error()).within("--format"));
  if (auto status = (*kind)->supported(); !status) {
    return refuse(kUnavailable,
                  Error(status.error()).within("--kind " + std::string((*kind)->name)));
  }

  std::string warning;
  const auto task = identity::ask_endpoint(machine.environment, settings->ecs_timeout, &warning);
  if (!warning.empty()) complain(machine, warning);
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
  Pacer pacer(std::move(*plan), std::move(*nominal));
  const auto memory = (*kind)->make(memory::Content(random_seed()));
  Ledger ledger(*memory, **kind);
  const ResidentSize rss(machine.root);

  const auto rate = pacer.nominal_rate();
  const cgroup::EffectiveLimit& limit = container->effective();
  report.started({.pattern = settings->pattern,
                  .kind = (*kind)->name,
                  .rate = rate && std::isfinite(*rate) ? rate : std::nullopt,
                  .seed = settings->seed,
                  .until = settings->until,
                  .until_bytes = *until_bytes,
                  .max_bytes = settings->max_bytes,
                  .cgroup_version = cgroup::name(container->location().version),
                  .limit = limit.bytes,
                  .limit_source = cgroup::name(limit.source),
                  .limit_complete = limit.complete,
                  .used = container->used()});
  Leak leak({*machine.clock, pacer, ledger, *container, report, *machine.stop}, *settings,
            *until_bytes, [&rss] { return rss.read(); });
  const Reason reason = leak.run();
  emitter.flush();
  if (const auto dropped = emitter.dropped() + emitter.held(); dropped > 0) {
    complain(machine, fmt::format("{} of {} events could not be written to standard output",
                                  dropped, dropped + emitter.emitted()));
  }
  if (leak.error()) {
    return refuse(reason == Reason::cgroup_lost ? kUnavailable : kNoMemory, *leak.error());
  }
  return kDone;
}

}  // namespace

int run(std::span<const std::string> texts, const Machine& machine) {
  if (const auto code = run_subcommand(texts, machine)) return *code;
  const auto arguments = read_arguments(texts, machine);
  const auto report_failure = [&machine](const Failure& failure) {
    complain(machine, failure.error.line());
    return static_cast<int>(failure.code);
  };
  if (!arguments) return report_failure(arguments.error());
  std::string text;
  if (arguments->help) text = help_text(kCommand);
  if (arguments->version) text = fmt::format("leaksim {}\n", kVersion);
  if (arguments->flag("list-patterns")) text = plan::list_patterns();
  if (arguments->flag("list-kinds")) text = list_kinds(machine.kinds);
  if (!text.empty()) {
    print(machine.out, text);
    return kDone;
  }
  const auto code = leak(*arguments, machine);
  return code ? static_cast<int>(*code) : report_failure(code.error());
}

}  // namespace oomdrill::simulator
