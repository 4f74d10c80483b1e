#include "explain.h"

#include <fmt/format.h>

#include "base/units.h"
#include "observers.h"
#include "outcome.h"
#include "subcommand.h"

namespace oomdrill::simulator {
namespace {

using memory::Claim;
using memory::Counter;

constexpr std::uint64_t kAmount = std::uint64_t{128} << 20;

/// Of a container that holds a little of its own, so that the formulas have what to subtract from.
cgroup::Sample before() {
  cgroup::Sample sample;
  sample.stat.file = 0;
  sample.stat.shmem = 0;
  sample.stat.kernel = 0;
  sample.stat.inactive_file = 0;
  return with(sample, Counter::anon, kAmount);
}

/// Of kAmount more.
std::uint64_t shown_of(Observer observer, const Claim& claim) {
  const cgroup::Sample less = before();
  const cgroup::Sample more = with(less, claim.counter, kAmount);
  const auto rss = std::uint64_t{claim.resident ? kAmount : 0};
  return shown(observer, more, rss).value_or(0) - shown(observer, less, 0).value_or(0);
}

std::string_view counters(Counter counter) {
  switch (counter) {
    case Counter::none:
      return "The memory controller charges nothing for it.";
    case Counter::anon:
      return "The kernel counts it as anonymous memory: `rss` in v1's memory.stat, `anon` in v2's.";
    case Counter::shmem:
      return "The kernel counts it as shared memory (`shmem`), and as page cache with it (`cache` "
             "in "
             "v1's memory.stat, `file` in v2's); but on the lists of anonymous pages, so never as "
             "inactive_file.";
    case Counter::file:
      return "The kernel counts it as page cache (`cache` in v1's memory.stat, `file` in v2's), "
             "and "
             "on the list inactive_file until it is used a second time.";
    case Counter::kernel:
      return "The kernel counts it as its own: memory.kmem.usage_in_bytes on v1, `kernel` in v2's "
             "memory.stat.";
  }
  return "";
}

std::string_view why(Observer observer, const Claim& claim) {
  switch (observer) {
    case Observer::cgroup:
      return claim.counter == Counter::none ? "not charged to the memory cgroup" : "charged";
    case Observer::rss:
      if (claim.resident) return "mapped into the process";
      return claim.counter == Counter::anon ? "mapped into other processes than leaksim's own"
                                            : "no page of it is mapped";
    case Observer::docker:
    case Observer::kubelet:
    case Observer::ecs_v2:
      if (claim.counter == Counter::file) return "inactive_file is taken off";
      return claim.counter == Counter::none ? "not charged" : "it is not on inactive_file";
    case Observer::ecs_v1:
      if (claim.counter == Counter::file) return "cache is taken off";
      if (claim.counter == Counter::shmem) return "it is part of the cache that is taken off";
      return claim.counter == Counter::none ? "not charged" : "it is no part of cache";
  }
  return "";
}

std::string_view verdict(const Claim& claim) {
  switch (claim.counter) {
    case Counter::none:
      return "No limit is ever met by it, and no alarm on memory should ring.";
    case Counter::anon:
      return "A leak of it ends in the OOM kill, and every observer of the container sees it come.";
    case Counter::shmem:
      return "A leak of it ends in the OOM kill. On v1 MemoryUtilization stays flat until then: "
             "the "
             "blind spot.";
    case Counter::file:
      return "The kernel drops it at the limit before it kills, so it ends in no OOM kill; who "
             "alarms "
             "on the usage is woken for nothing.";
    case Counter::kernel:
      return "A leak of it ends in the OOM kill, and who looks for a process that grows finds "
             "none.";
  }
  return "";
}

/// One line a kind, one column an observer.
std::string overview(std::span<const memory::Kind> kinds) {
  std::string text = fmt::format("{:<11}{:<9}", "KIND", "COUNTED");
  for (const ObserverInfo& each : observers()) text += fmt::format("  {}", each.name);
  text += "\n";
  for (const memory::Kind& kind : kinds) {
    const Claim claim = kind.claim({});
    text += fmt::format("{:<11}{:<9}", kind.name, name(claim.counter));
    for (const ObserverInfo& each : observers()) {
      text += fmt::format("  {:<{}}", shown_of(each.observer, claim) > 0 ? "yes" : "no",
                          each.name.size());
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += "\n";
  }
  return text + "\nWhy: leaksim explain KIND\n";
}

int run(const Arguments& arguments, const Machine& machine) {
  if (arguments.positionals.empty()) {
    return answer(machine.out, machine.err, overview(machine.kinds));
  }
  std::string text;
  for (const std::string& each : arguments.positionals) {
    const auto choice = memory::parse_kind(machine.kinds, each);
    if (!choice) {
      complain(machine.err, Error(choice.error()).within("explain").line());
      return kUsage;
    }
    text += (text.empty() ? "" : "\n") + explain(*choice);
  }
  return answer(machine.out, machine.err, text);
}

}  // namespace

const Command kExplainCommand = {
    .program = "leaksim",
    .name = "explain",
    .synopsis = "[KIND...]",
    .summary = "Says what each observer of a container shows of a kind of memory, and why.",
    .options = {},
    .epilogue =
        "Examples:\n"
        "  leaksim explain                 # all kinds, a line each\n"
        "  leaksim explain memfd\n"
        "  leaksim explain file:clean\n",
    .takes_positionals = true};

const Subcommand kExplain = {
    .name = "explain", .command = []() -> const Command& { return kExplainCommand; }, .run = run};

std::string explain(const memory::Choice& choice) {
  const Claim claim = choice.claim();
  std::string text = fmt::format("{}: {}.\n", choice.kind->name, choice.kind->help);
  text +=
      fmt::format("{}\nCharged beside it: {}.\n\n", counters(claim.counter), claim.overhead_help);
  text += fmt::format("Of {}:\n", format_bytes(kAmount));
  for (const ObserverInfo& each : observers()) {
    text += fmt::format("  {:<19} ({}) shows {}: {}\n", each.name, each.formula,
                        shown_of(each.observer, claim) > 0 ? format_bytes(kAmount) : "nothing",
                        why(each.observer, claim));
  }
  text += fmt::format("{}\n", verdict(claim));
  if (const auto status = choice.supported(); !status) {
    text += fmt::format("Not here: {}\n", status.error().line());
  }
  return text;
}

}  // namespace oomdrill::simulator
