#include "options.h"

#include <algorithm>
#include <array>

#include "plan/plan.h"

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
    Option{"kind", "NAME", "", "Kind of memory; without it what suits the pattern: anon, or heap"},
    Option{"until", "AMOUNT", "oom",
           "Stop when the cgroup uses this much: 90%, 512MiB, 50MiB-headroom; oom is never", 'u'},
    Option{"hold", "", "", "Keep the memory after --until or --max-bytes, until a signal"},
    Option{"duration", "TIME", "", "Stop after this long, held or not", 'd'},
    Option{"max-bytes", "SIZE", "", "Never hold more than this"},
    Option{"seed", "N", "1", "Of a pattern's random choices"},
    Option{"report-every", "TIME", "1s", "Time between progress events; 0: start and end only"},
    Option{"format", "NAME", "auto", "text, json or emf; auto: by where the output goes", 'f'},
    Option{"allow-unlimited", "", "",
           "Run without a memory limit, or with one near the memory of the host"},
    Option{"ecs-timeout", "TIME", "500ms", "Wait for the ECS metadata endpoint, on ECS only"},
    Option{"list-patterns", "", "", "Print the patterns with their parameters"},
    Option{"list-kinds", "", "", "Print the kinds of memory"},
};

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

/// --pattern, or each --phase in sequence, with --rate written into it: a text that says all.
Result<void> read_pattern(const Arguments& arguments, Settings& settings) {
  const bool by_flag = arguments.origin("phase") == "--phase";
  const bool pattern_by_flag = arguments.origin("pattern") == "--pattern";
  std::string_view source = "pattern";
  if (arguments.given("phase")) {
    if (!arguments.given("pattern") || (by_flag && !pattern_by_flag)) {
      source = "phase";
    } else if (by_flag == pattern_by_flag) {
      return fail("--pattern is another shape of the same growth", arguments.origin("phase"),
                  "make it a --phase too");
    }
  }
  std::string text;
  for (const std::string& each : arguments.all(source)) text += (text.empty() ? "" : ";") + each;
  const std::string origin = arguments.origin(source);
  const auto choices = plan::parse_pattern(text);
  if (!choices) return fail(Error(choices.error()).within(origin));
  settings.pattern = text;
  settings.pattern_origin = origin;
  if (!arguments.given("rate")) return {};

  const auto rate = arguments.get("rate", parse_rate);
  if (!rate) return fail(rate.error());
  // A variable may stand for all runs of a container, a flag is meant for this one.
  if (!plan::takes(*choices, "rate") && arguments.origin("rate") == "--rate") {
    const bool sets_one =
        std::any_of(choices->begin(), choices->end(),
                    [](const plan::Choice& choice) { return choice.settings.contains("rate"); });
    if (sets_one) {
      return fail("the rate is in " + origin + " already", "--rate", "give one of the two");
    }
    return fail("pattern '" + std::string(choices->front().pattern->name) + "' has no rate",
                "--rate", "its parameters are in leaksim --list-patterns");
  }
  settings.pattern = plan::spell_out(text, {{"rate", arguments.text("rate")}});
  return {};
}

}  // namespace

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
        "  leaksim --until 90% --hold\n"
        "  leaksim --pattern burst:size=64MiB,interval=10s\n"
        "  leaksim --pattern fragment --max-bytes 100MiB --duration 5m\n"
        "  leaksim --phase cache-fill:for=60s --phase hold:for=30s --phase linear:rate=2MB/s\n\n"
        "Commands, instead of a leak; each has a --help:\n"
        "  leaksim plan        prints the curve that these options would produce\n"
        "  leaksim completion  prints the completion of these options for a shell\n"
        "  leaksim man         prints the manual page\n\n"
        "Exit codes: 0 ended as asked for or by SIGTERM or SIGINT; 64 wrong usage; 69 no memory\n"
        "cgroup, no limit or no room below it; 71 the kernel refused memory, as ulimit -v makes "
        "it.\n"
        "The OOM kill is a SIGKILL: 137 to a shell.\n"};

Result<Settings> read_settings(const Arguments& arguments) {
  Settings settings;
  if (auto status = read_pattern(arguments, settings); !status) return fail(status.error());
  settings.kind = arguments.text("kind");

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
  settings.hold = arguments.flag("hold");
  if (settings.hold && !settings.target && !settings.max_bytes) {
    return fail("there is nothing to hold at: the growth ends with the OOM kill",
                arguments.origin("hold"), "add --until 90% or --max-bytes SIZE");
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
