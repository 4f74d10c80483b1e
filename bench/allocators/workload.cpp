// One sample of an allocator: one process, one workload, measured from inside where only the inside
// knows. bench/kill, bench/allocators and bench/atlas run it, each with its options:
//   bench_workload [--allocator NAME] [--seed N] [--state FILE] [--total SIZE] [--stop-after N]
//                  [--wait TIME [--busy]] [--refill] [--no-free] WORKLOAD
// Prints a JSON object; nothing where it is killed, and then the state file has what it held.
#include <fcntl.h>
#include <fmt/core.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "allocator.h"
#include "base/file.h"
#include "base/options.h"
#include "base/units.h"
#include "counted_memory.h"
#include "ledger.h"
#include "memory/kinds.h"
#include "plan/plan.h"
#include "workloads.h"

namespace oomdrill::bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Bytes of anonymous memory in this process, exactly; statm's are of counters a CPU, and up to
/// 512 KiB off.
std::uint64_t resident() {
  static std::array<char, 4096> buffer;
  const int fd = ::open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
  const auto size = ::read(fd, buffer.data(), buffer.size());
  ::close(fd);
  const std::string_view text(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  const auto at = text.find("\nAnonymous:");
  std::uint64_t kib = 0;
  if (at == std::string_view::npos) return 0;
  const auto digit = text.find_first_of("0123456789", at);
  std::from_chars(text.data() + digit, text.data() + text.size(), kib);
  return kib << 10;
}

long faults() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt + usage.ru_majflt;
}

/// leaksim's own plan, ledger and heap.
class Planned final : public Workload {
 public:
  Planned(std::string text, std::uint64_t seed, State& state)
      : text_(std::move(text)),
        seed_(seed),
        heap_(memory::kHeap.make(memory::Content(seed), {})),
        counted_(*heap_, state),
        ledger_(counted_, memory::kHeap) {}

  Result<void> run(const std::function<bool()>& done) override {
    auto plan = plan::make_plan(text_, {{"rate", "max"}}, seed_);
    if (!plan) return fail(plan.error());
    while (!done()) {
      const auto step = (*plan)->next();
      if (!step) break;
      auto status = ledger_.apply(step->action, UINT64_MAX, [&done] { return !done(); });
      if (!status) return status;
    }
    return {};
  }

  void free_all() override { ledger_.release_all(); }

 private:
  std::string text_;
  std::uint64_t seed_;
  std::unique_ptr<memory::Memory> heap_;
  CountedMemory counted_;
  simulator::Ledger ledger_;
};

}  // namespace

Result<std::unique_ptr<Workload>> make_workload(std::string_view text, std::uint64_t seed,
                                                State& state) {
  const std::string_view name = text.substr(0, text.find(':'));
  std::map<std::string, std::uint64_t, std::less<>> given;
  for (std::string_view rest = text.substr(std::min(text.size(), name.size() + 1));
       !rest.empty();) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    const auto equals = std::min(item.find('='), item.size());
    const auto value = parse_bytes(item.substr(std::min(item.size(), equals + 1)));
    if (value) given[std::string(item.substr(0, equals))] = *value;
  }
  const auto or_else = [&given](std::string_view key, std::uint64_t value) {
    const auto it = given.find(key);
    return it == given.end() ? value : it->second;
  };
  if (name == "rails") return make_rails(or_else("keep", 0), seed, state);
  if (name == "larson") return make_larson(seed, state);
  if (name == "handoff") return make_handoff(seed, state);
  if (name == "robson") {
    return make_robson(or_else("live", 32 << 20), or_else("largest", 8 << 10), state);
  }
  if (auto status = plan::parse_pattern(text); !status) return fail(status.error());
  return std::make_unique<Planned>(std::string(text), seed, state);
}

namespace {

constexpr std::array kOptions = {
    Option{"allocator", "NAME", "system", "as leaksim's"},
    Option{"seed", "N", "1", "of the plan"},
    Option{"state", "FILE", "", "where the counts are kept; it is there, one page long"},
    Option{"total", "SIZE", "", "end once so much was allocated"},
    Option{"stop-after", "N", "", "end after so many operations, or up to a MiB later"},
    Option{"wait", "TIME", "", "after all is freed, for half of it to go back to the kernel"},
    Option{"busy", "", "", "allocate and free a little all the time while waiting"},
    Option{"refill", "", "", "run it once more on what the first run left"},
    Option{"no-free", "", "", "trim while all is held: what a purge rescues"},
};
constexpr Command kCommand = {.program = "bench_workload",
                              .name = "",
                              .synopsis = "WORKLOAD",
                              .summary = "One sample of an allocator.",
                              .options = kOptions,
                              .takes_positionals = true};

Result<State*> map_state(const std::string& path) {
  int fd = -1;
  if (!path.empty()) {
    fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) return fail_errno("cannot open", path);
  }
  void* at = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE,
                    fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);
  if (fd >= 0) ::close(fd);
  if (at == MAP_FAILED) return fail_errno("cannot map", path);
  return static_cast<State*>(at);
}

/// Seconds until half of what is resident now has gone back; nullopt: not within `most`.
std::optional<double> wait_for_half(Nanoseconds most, bool busy) {
  const std::uint64_t before = resident();
  const auto start = Clock::now();
  while (Clock::now() - start < most) {
    if (resident() <= before / 2) return seconds_since(start);
    for (int turn = 0; turn < 20; ++turn) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      // Some requests a millisecond, as of a service that is not idle.
      for (std::size_t i = 0; busy && i < 1000; ++i) {
        void* volatile block = std::malloc(16 + i);
        std::free(block);
      }
    }
  }
  return std::nullopt;
}

struct Phase {
  const char* name;
  std::uint64_t resident;
  std::uint64_t live;
  long faults;
  double seconds;
};

int failed(const Error& error, int code) {
  fmt::print(stderr, "bench_workload: {}\n", error.line());
  return code;
}

Result<std::uint64_t> number_or_most(const Arguments& arguments, std::string_view name) {
  if (!arguments.given(name)) return UINT64_MAX;
  return arguments.get(name, [](std::string_view text) { return parse_bytes(text); });
}

int run(const Arguments& arguments) {
  const Environment environment = [](const char* name) { return std::getenv(name); };
  const std::string name = arguments.text("allocator");
  if (auto status = simulator::ensure_allocator(name, environment, simulator::execute_under);
      !status) {
    return failed(Error(status.error()).within("--allocator"), 69);
  }
  const simulator::Allocator allocator = simulator::Allocator::serving(environment);
  const auto state = map_state(arguments.text("state"));
  if (!state) return failed(state.error(), 69);
  const auto seed = arguments.get("seed", [](std::string_view text) { return parse_bytes(text); });
  const auto total = number_or_most(arguments, "total");
  const auto stop_after = number_or_most(arguments, "stop-after");
  if (!seed || !total || !stop_after) {
    return failed((!seed ? seed : !total ? total : stop_after).error(), 64);
  }
  if (arguments.positionals.size() != 1) return failed(Error{"give one workload", {}}, 64);
  auto workload = make_workload(arguments.positionals[0], *seed, **state);
  if (!workload) return failed(workload.error(), 64);

  std::array<Phase, 8> phases;
  std::size_t count = 0;
  long faults_before = faults();
  auto start = Clock::now();
  const auto mark = [&](const char* phase) {
    const double took = seconds_since(start);
    phases[count++] = {phase, resident(), (*state)->live.load(), faults() - faults_before, took};
    faults_before = faults();
    start = Clock::now();
  };
  (*state)->rss_start.store(resident());
  (*state)->served.store(1);
  mark("start");
  std::uint64_t until = *total;
  const auto done = [&] {
    return (*state)->allocated.load(std::memory_order_relaxed) >= until ||
           (*state)->operations.load(std::memory_order_relaxed) >= *stop_after;
  };
  if (auto status = (*workload)->run(done); !status) return failed(status.error(), 71);
  mark("full");
  const std::uint64_t operations = (*state)->operations.load();
  const auto figures = allocator.figures();
  start = Clock::now();
  if (arguments.flag("no-free")) {
    allocator.give_back();
    mark("purged");
  }
  (*workload)->free_all();
  mark("freed");
  if (arguments.flag("refill")) {
    until = (*state)->allocated.load() + *total;
    if (auto status = (*workload)->run(done); !status) return failed(status.error(), 71);
    mark("refilled");
    (*workload)->free_all();
    mark("freed again");
  }
  std::optional<double> half_life;
  if (arguments.given("wait")) {
    const auto wait = arguments.get("wait", parse_duration);
    if (!wait) return failed(wait.error(), 64);
    half_life = wait_for_half(*wait, arguments.flag("busy"));
    mark("waited");
  }
  start = Clock::now();
  allocator.give_back();
  mark("trimmed");

  nlohmann::ordered_json out = {
      {"allocator", allocator.name()},    {"version", allocator.version()},
      {"file", allocator.file()},         {"options", allocator.options()},
      {"unproven", allocator.unproven()}, {"operations", operations}};
  if (const auto proven = allocator.proven()) out["proven"] = *proven;
  if (arguments.given("wait")) {
    out["half_life_s"] = half_life ? nlohmann::ordered_json(*half_life) : nullptr;
  }
  if (figures.allocated) out["own_allocated"] = *figures.allocated;
  for (std::size_t i = 0; i < count; ++i) {
    out["phases"][phases[i].name] = {{"resident", phases[i].resident},
                                     {"live", phases[i].live},
                                     {"faults", phases[i].faults},
                                     {"seconds", phases[i].seconds}};
  }
  fmt::print("{}\n", out.dump());
  return 0;
}

}  // namespace
}  // namespace oomdrill::bench

int main(int argc, char** argv) {
  using namespace oomdrill;
  const std::vector<std::string> words(argv + 1, argv + argc);
  const auto arguments =
      parse_arguments(bench::kCommand, words, [](const char*) -> const char* { return nullptr; });
  if (!arguments) return bench::failed(arguments.error(), 64);
  return bench::run(*arguments);
}
