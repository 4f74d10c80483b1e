// Service prediction over tasks and over minutes. bench/service/run runs it.
#include "predict/service.h"

#include <benchmark/benchmark.h>

#include <cstdlib>

namespace {

using namespace oomdrill;
using std::chrono::seconds;

constexpr alarm::Instant kStart{seconds(1'700'006'400)};

predict::Course guide_leak() {
  auto made = predict::predict_course(
      {.pattern = "linear", .rate_bytes_per_s = 1e6, .limit_bytes = 512ULL << 20}, {}, seconds(1),
      std::chrono::hours(24));
  if (!made) std::abort();
  return std::move(*made);
}

void run(benchmark::State& state, std::int64_t tasks, std::int64_t minutes) {
  const auto course = guide_leak();
  predict::Service service;
  service.tasks = static_cast<std::uint32_t>(tasks);
  service.stagger = seconds(600);
  service.duration = seconds(minutes * 60);
  service.scaling = scaling::Policy{};
  service.scaling->least = service.tasks;
  service.scaling->most = service.tasks * 2;
  std::uint64_t kills = 0;
  for (auto _ : state) {
    kills = predict::predict_service(service, course, kStart, nullptr).kills;
    benchmark::DoNotOptimize(kills);
  }
  state.SetComplexityN(tasks * minutes);
  state.counters["kills"] = static_cast<double>(kills);
}

void by_tasks(benchmark::State& state) { run(state, state.range(0), 1440); }
void by_minutes(benchmark::State& state) { run(state, 1000, state.range(0)); }

BENCHMARK(by_tasks)
    ->Arg(10)
    ->Arg(100)
    ->Arg(1000)
    ->Arg(10'000)
    ->Unit(benchmark::kMillisecond)
    ->Complexity(benchmark::oN);
BENCHMARK(by_minutes)
    ->RangeMultiplier(4)
    ->Range(90, 23'040)
    ->Unit(benchmark::kMillisecond)
    ->Complexity(benchmark::oN);

}  // namespace

BENCHMARK_MAIN();
