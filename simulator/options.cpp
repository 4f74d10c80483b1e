#include "options.h"

#include <algorithm>
#include <array>

#include "plan/growth.h"

namespace oomdrill::simulator {
namespace {

constexpr std::array kOptions = {
    Option{"rate", "RATE", "1MB/s", "Growth of a pattern with a rate; max is unpaced", 'r'},
    Option{"pattern", "NAME[:KEY=VALUE,...]", "linear", "Shape of the growth", 'p'},
    Option{.name = "phase",
           .value = "NAME[:KEY=VALUE,...]",
           .default_value = "",
           .help = "Instead of --pattern: patterns in sequence, each but the last with for=TIME",
           .repeatable = true},
    Option{"kind", "NAME[:KEY=VALUE,...]", "",
           "Kind of memory; without it what suits the pattern: anon, or heap"},
    Option{"content", "WHAT", "unique",
           "unique: zeros with 8 bytes of each page its own, so that KSM merges none; zero; "
           "compressible=0.5: random, and that share of each page zeros (0: swap cannot "
           "compress it)"},
    Option{"touch", "SHARE/s", "", "Use so much of the live memory again, round and round: 20%/s"},
    Option{"allocator", "NAME|PATH", "",
           "Of --kind heap: system, jemalloc, mimalloc, tcmalloc or a library; it is preloaded"},
    Option{"until", "AMOUNT", "oom",
           "Stop when the cgroup uses this much: 90%, 512MiB, 50MiB-headroom; oom is never", 'u'},
    Option{"basis", "READING", "current",
           "What --until is compared with, and hold keeps: current, working-set, anon or ecs"},
    Option{"then", "ACTION", "exit",
           "After --until, --max-bytes or the plan's end: exit; hold the cgroup at the target; "
           "release all and stay; oom: grow on to the kill"},
    Option{"hold", "", "", "The same as --then hold"},
    Option{"duration", "TIME", "",
           "Stop after this long, held or not: 500ms, 30s, 10m; a bare number is seconds", 'd'},
    Option{"max-bytes", "SIZE", "", "Never hold more than this"},
    Option{"workers", "N", "1", "Processes that leak at once; one that is OOM-killed is told", 'w'},
    Option{"share", "HOW", "total",
           "With --workers: rate, sizes and --max-bytes are all workers' together (total), or "
           "every worker's own (each)"},
    Option{"restart", "N", "0", "Leak anew after an OOM kill, up to so many times"},
    Option{"expect", "END", "",
           "Judge how it ends, by exit code 0 or 1: oom, survive, or plateau (it survives, and "
           "the usage levels off)"},
    Option{"seed", "N", "1", "Of a pattern's random choices"},
    Option{"report-every", "TIME", "1s",
           "Time between progress events, a bare number is seconds; 0: start and end only"},
    Option{"format", "NAME", "auto", "text, json or emf; auto: by where the output goes", 'f'},
    Option{"allow-unlimited", "", "",
           "Run without a memory limit, or with one near the memory of the host"},
    Option{"ecs-timeout", "TIME", "500ms", "Wait for the ECS metadata endpoint, on ECS only"},
    Option{"list-patterns", "", "", "Print the patterns with their parameters"},
    Option{"list-kinds", "", "", "Print the kinds of memory"},
};

/// More are no leak but a fork bomb; each needs half a MiB.
constexpr std::uint64_t kMostWorkers = 1000;

/// --name TIME, at least `least`; "0" where `zero` allows it.
Result<Nanoseconds> read_time(const Arguments& arguments, std::string_view name, Nanoseconds least,
                              bool zero) {
  return arguments.get(name, [&](std::string_view text) -> Result<Nanoseconds> {
    auto time = parse_duration(text);
    if (time && *time < least && !(zero && *time == Nanoseconds(0))) {
      return fail("'" + std::string(text) + "' is too short", {},
                  "give at least " + format_duration(least));
    }
    return time;
  });
}

constexpr std::array<std::string_view, 4> kThenNames = {"exit", "hold", "release", "oom"};

Result<Then> parse_then(std::string_view text) {
  const auto it = std::find(kThenNames.begin(), kThenNames.end(), text);
  if (it == kThenNames.end()) {
    return fail("'" + std::string(text) + "' is nothing to do", {},
                "choose one of exit, hold, release, oom");
  }
  return static_cast<Then>(it - kThenNames.begin());
}

/// --then, or --hold for short.
Result<Then> read_then(const Arguments& arguments, const Settings& settings) {
  const auto asked = arguments.get("then", parse_then);
  if (!asked) return fail(asked.error());
  const bool hold = arguments.flag("hold");
  if (hold && arguments.given("then") && *asked != Then::hold) {
    return fail("contradicts " + arguments.origin("then") + " " + arguments.text("then"),
                arguments.origin("hold"), "give one of the two");
  }
  const Then then = hold ? Then::hold : *asked;
  if (then == Then::oom && settings.max_bytes) {
    return fail("keeps the leak from the kill that " + arguments.origin("then") + " oom asks for",
                arguments.origin("max-bytes"), "give one of the two");
  }
  if ((then == Then::hold || then == Then::release) && !settings.target && !settings.max_bytes) {
    return fail(
        "there is nothing to " + std::string(name(then)) + " at: the growth ends with the OOM kill",
        arguments.origin(hold ? "hold" : "then"), "add --until 90% or --max-bytes SIZE");
  }
  return then;
}

/// "20%/s" → 0.2.
Result<double> parse_share_per_second(std::string_view text) {
  constexpr std::string_view kPerSecond = "/s";
  const auto percent = text.ends_with(kPerSecond)
                           ? parse_percent(text.substr(0, text.size() - kPerSecond.size()))
                           : Result<double>(fail("'" + std::string(text) + "' is no rate"));
  if (!percent) return fail(percent.error().what, {}, "write it as 20%/s, up to 100%/s");
  return *percent / 100;
}

}  // namespace

std::string_view name(Then then) { return kThenNames[static_cast<std::size_t>(then)]; }

const Command kCommand = {
    .program = "leaksim",
    .name = "",
    .synopsis = "",
    .summary = "Makes memory grow, at a rate that holds, until the kernel's OOM killer ends it.",
    .options = kOptions,
    .epilogue =
        "Without an option it grows by 1,000,000 bytes a second, every page with content of its\n"
        "own, until it is killed. It refuses to run without a memory limit.\n\n"
        "Examples:\n"
        "  leaksim --rate 16MB/s\n"
        "  leaksim --until 90% --then hold\n"
        "  leaksim --until 80% --basis ecs --then oom\n"
        "  leaksim --pattern burst:size=64MiB,interval=10s\n"
        "  leaksim --workers 4 --restart 2\n"
        "  leaksim --expect plateau --duration 10m --pattern burst:size=8MiB --max-bytes 64MiB\n"
        "  leaksim --kind memfd --rate 16MB/s\n"
        "  leaksim --pattern fragment --max-bytes 100MiB --duration 5m\n"
        "  leaksim --phase cache-fill:for=60s --phase hold:for=30s --phase linear:rate=2MB/s\n\n"
        "Commands, instead of a leak; each has a --help:\n"
        "  leaksim plan        prints the curve that these options would produce\n"
        "  leaksim explain     says what each observer shows of a kind of memory\n"
        "  leaksim completion  prints the completion of these options for a shell\n"
        "  leaksim man         prints the manual page\n\n"
        "Exit codes: 0 ended as asked for or by SIGTERM or SIGINT, or as --expect says; 1 it did "
        "not;\n"
        "2 that cannot be told; 64 wrong usage; 69 no memory cgroup, no limit or no room below "
        "it;\n"
        "71 the kernel refused memory, as ulimit -v makes it.\n"
        "The OOM kill is a SIGKILL: 137 to a shell.\n"};

Result<Settings> read_settings(const Arguments& arguments) {
  Settings settings;
  auto growth = plan::read_growth(arguments);
  if (!growth) return fail(std::move(growth.error()));
  settings.pattern = std::move(growth->pattern);
  settings.pattern_origin = std::move(growth->origin);
  settings.kind = arguments.text("kind");
  settings.content = arguments.text("content");
  const auto filling = arguments.get("content", memory::parse_filling);
  if (!filling) return fail(filling.error());
  settings.filling = *filling;
  if (arguments.given("touch")) {
    const auto share = arguments.get("touch", parse_share_per_second);
    if (!share) return fail(share.error());
    settings.touch_share = *share;
  }
  settings.allocator = arguments.text("allocator");

  settings.until = arguments.text("until");
  if (settings.until != "oom") {
    const auto target = arguments.get("until", parse_amount);
    if (!target) return fail(target.error());
    settings.target = *target;
  }
  if (arguments.given("max-bytes")) {
    const auto most = arguments.get("max-bytes", parse_bytes);
    if (!most) return fail(most.error());
    if (*most == 0) {
      return fail("0 leaves nothing to grow", arguments.origin("max-bytes"), "give a size above 0");
    }
    settings.max_bytes = *most;
  }
  const auto basis = arguments.get("basis", parse_basis);
  if (!basis) return fail(basis.error());
  settings.basis = *basis;
  const auto then = read_then(arguments, settings);
  if (!then) return fail(then.error());
  settings.then = *then;
  const auto workers = arguments.get(
      "workers", [](std::string_view text) { return parse_whole(text, 1, kMostWorkers); });
  if (!workers) return fail(workers.error());
  settings.workers = *workers;
  if (const std::string share = arguments.text("share"); share == "each") {
    settings.each = true;
  } else if (share != "total") {
    return fail("'" + share + "' is no way to share", arguments.origin("share"),
                "choose total or each");
  }
  const auto restarts = arguments.get(
      "restart", [](std::string_view text) { return parse_whole(text, 0, UINT32_MAX); });
  if (!restarts) return fail(restarts.error());
  settings.restarts = *restarts;
  if (arguments.given("expect")) {
    const auto expect = arguments.get("expect", parse_expect);
    if (!expect) return fail(expect.error());
    settings.expect = *expect;
  }
  if (arguments.given("duration")) {
    const auto duration = read_time(arguments, "duration", std::chrono::milliseconds(1), false);
    if (!duration) return fail(duration.error());
    settings.duration = *duration;
  }
  const auto seed = arguments.get("seed", [](std::string_view text) { return parse_whole(text); });
  if (!seed) return fail(seed.error());
  settings.seed = *seed;
  const auto every = read_time(arguments, "report-every", std::chrono::milliseconds(10), true);
  if (!every) return fail(every.error());
  settings.report_every = *every;
  settings.format = arguments.text("format");
  settings.allow_unlimited = arguments.flag("allow-unlimited");
  const auto timeout = read_time(arguments, "ecs-timeout", std::chrono::milliseconds(1), false);
  if (!timeout) return fail(timeout.error());
  settings.ecs_timeout = *timeout;
  return settings;
}

}  // namespace oomdrill::simulator
