#include "setup.h"

#include <sys/random.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "share.h"

namespace oomdrill::simulator {
namespace {

/// What suits the pattern, or what was asked for where that does.
Result<memory::Choice> choose_kind(std::span<const memory::Kind> kinds, const Settings& settings,
                                   const plan::Pattern& pattern) {
  const bool malloced = pattern.needs_blocks || !settings.allocator.empty();
  const std::string_view suits = malloced ? "heap" : "anon";
  auto choice = memory::parse_kind(kinds, settings.kind.empty() ? suits : settings.kind);
  if (!choice) return fail(std::move(choice.error()).within("--kind"));
  if (pattern.needs_blocks && !choice->kind->small_blocks) {
    return fail(fmt::format("pattern '{}' frees single blocks, and memory of kind '{}' cannot",
                            pattern.name, choice->kind->name),
                "--kind", "use --kind heap");
  }
  if (!settings.allocator.empty() && choice->kind->name != "heap") {
    return fail(
        fmt::format("serves malloc, which memory of kind '{}' is not from", choice->kind->name),
        "--allocator", "use --kind heap");
  }
  return choice;
}

}  // namespace

Outcome<memory::Choice> set_up_kind(std::span<const memory::Kind> kinds, const Settings& settings) {
  const auto choice = plan::parse_pattern(settings.pattern);
  if (!choice) return refuse(kUsage, choice.error());
  const auto kind = choose_kind(kinds, settings, *choice->pattern);
  if (!kind) return refuse(kUsage, kind.error());
  if (auto status = kind->supported(); !status) {
    return refuse(kUnavailable,
                  Error(status.error()).within("--kind " + std::string(kind->kind->name)));
  }
  return *kind;
}

Outcome<Pacer> set_up_pacer(const Settings& settings, std::uint64_t number) {
  auto plan = plan::make_plan(settings.pattern, settings.defaults, settings.seed);
  auto nominal = plan::make_plan(settings.pattern, settings.defaults, settings.seed);
  if (!plan || !nominal) {
    return refuse(kUsage, Error((plan ? nominal : plan).error()).within("--pattern"));
  }
  const std::uint64_t of = settings.each ? 1 : settings.workers;
  return Pacer(share(std::move(*plan), number - 1, of), share(std::move(*nominal), number - 1, of));
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
  const auto reading = container.reading(settings.basis);
  if (!reading) {
    return refuse(kUnavailable,
                  {"this kernel's memory.stat does not show it",
                   "--basis " + std::string(name(settings.basis)), "use --basis current"});
  }
  if (*reading >= *bytes) {
    return refuse(kUsage, {fmt::format("the cgroup uses {} already, and the target is {}",
                                       format_bytes(*reading), format_bytes(*bytes)),
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

}  // namespace oomdrill::simulator
