#include "predict/service.h"

#include <gtest/gtest.h>

#include "alarm/findings.h"
#include "alarm/sources.h"

namespace oomdrill::predict {
namespace {

constexpr alarm::Instant kStart{seconds(1'700'006'400)};
constexpr Nanoseconds kSecond = seconds(1);

Course course(double rate = 1e6, std::uint64_t limit = 512ULL << 20) {
  auto made = predict_course({.pattern = "linear", .rate_bytes_per_s = rate, .limit_bytes = limit},
                             {}, kSecond, std::chrono::hours(24));
  EXPECT_TRUE(made);
  return std::move(*made);
}

alarm::SeriesSet guide_series() {
  alarm::SeriesSet series;
  const auto guide = alarm::load_alarms("guide");
  for (const auto& each : guide->metric) series.want(each);
  alarm::want_candidates(series);
  series.want("oomdrill", "oom_killed", {});
  return series;
}

TEST(Course, SamplesFollowThePlan) {
  const Course made = course();
  ASSERT_EQ(made.prediction.end, Prediction::End::oom_kill);
  EXPECT_NEAR(static_cast<double>(made.used_bytes.size()), 537, 1);
  EXPECT_NEAR(static_cast<double>(made.used_bytes[100]), 100e6, 1e5);
  // To the step, not to the sample.
  EXPECT_NEAR(to_seconds(*made.kernel_passes[1]), 0.85 * (512 << 20) / 1e6, 0.02);
}

TEST(Course, OnV1SharedMemoryIsLeftOut) {
  const Leak leak{
      .pattern = "linear", .rate_bytes_per_s = 1e6, .used_bytes = 2 << 20, .limit_bytes = 64 << 20};
  const auto hidden =
      predict_course(leak, {.shared = true, .cgroup_v1 = true}, kSecond, std::chrono::hours(1));
  ASSERT_TRUE(hidden);
  EXPECT_FALSE(hidden->utilization_passes[0]);
  EXPECT_TRUE(hidden->kernel_passes[0]);
  EXPECT_EQ(hidden->memory_utilization(hidden->used_bytes.back()), 2 * 100 / 64.0);
  const auto shown =
      predict_course(leak, {.shared = true, .cgroup_v1 = false}, kSecond, std::chrono::hours(1));
  EXPECT_TRUE(shown->utilization_passes[0]);
}

TEST(Course, ALeakThatStopsHoldsWhatItHas) {
  const auto held = predict_course({.pattern = "linear",
                                    .rate_bytes_per_s = 1e6,
                                    .limit_bytes = 100'000'000,
                                    .until_bytes = 50'000'000},
                                   {}, kSecond, seconds(120));
  ASSERT_TRUE(held);
  ASSERT_EQ(held->used_bytes.size(), 120U);
  EXPECT_NEAR(static_cast<double>(held->used_bytes.back()), 50e6, 1e5);
}

TEST(Course, RefusesMoreSamplesThanFit) {
  EXPECT_FALSE(predict_course({.pattern = "linear", .limit_bytes = 1 << 20}, {},
                              std::chrono::milliseconds(1), std::chrono::hours(24)));
}

TEST(Service, KillsComeOnceALifeAndADelay) {
  Service service;
  service.tasks = 1;
  service.restart_delay = seconds(63);
  service.duration = seconds(6060);
  // A life of 537 s and a delay of 63: at 537, 1137, …
  const auto result = predict_service(service, course(), kStart, nullptr);
  EXPECT_EQ(result.first_kill, seconds(537));
  EXPECT_EQ(result.kills, 10U);
  service.back_off = 1000;  // each further delay is the longest: 15 minutes
  EXPECT_EQ(predict_service(service, course(), kStart, nullptr).kills, 5U);
}

TEST(Service, TheAverageHidesOneTaskInForty) {
  Service service;
  service.tasks = 40;
  service.leaking = 0.025;
  service.duration = seconds(3600);
  auto series = guide_series();
  const auto result = predict_service(service, course(), kStart, &series);
  EXPECT_EQ(result.initially_leaking, 1U);
  EXPECT_GT(result.kills, 4U);
  EXPECT_GT(result.highest_task, 95);
  EXPECT_LT(result.highest_average, 42);
  EXPECT_GT(result.highest_average, 40);
  const auto* utilization = series.find("AWS/ECS", "MemoryUtilization");
  const auto most = utilization->value(*alarm::parse_statistic("Maximum"), kStart, seconds(3600));
  EXPECT_NEAR(*most, result.highest_task, 1e-3);
  const auto killed = series.find("oomdrill", "oom_killed")
                          ->value(*alarm::parse_statistic("Sum"), kStart, seconds(3700));
  EXPECT_EQ(*killed, static_cast<double>(result.kills));
}

TEST(Service, ScalingOutDoesNotHelp) {
  Service service;
  service.tasks = 4;
  service.duration = seconds(6 * 3600);
  service.scaling = scaling::Policy{};
  service.scaling->least = 4;
  service.scaling->most = 8;
  service.scaling->low = 0;  // scaling in takes leaking tasks away, by chance
  const Course leak = course(1e5);
  const auto with = predict_service(service, leak, kStart, nullptr);
  service.scaling.reset();
  const auto without = predict_service(service, leak, kStart, nullptr);
  EXPECT_FALSE(with.actions.empty());
  EXPECT_GE(with.kills, without.kills);
  EXPECT_GT(with.task_hours, without.task_hours);
  // It masks: new tasks lower the average.
  EXPECT_LT(with.highest_average, without.highest_average);
  EXPECT_GT(with.highest_task, 99);
}

TEST(Service, IsDeterministicUnderASeed) {
  Service service;
  service.tasks = 50;
  service.leaking = 0.3;
  service.stagger = seconds(3600);
  service.duration = seconds(7200);
  service.scaling = scaling::Policy{.target = 50, .least = 1, .most = 80};
  const auto text = [&](std::uint64_t seed) {
    service.seed = seed;
    const auto result = predict_service(service, course(), kStart, nullptr);
    std::string all = fmt::format("{} {} {}", result.kills, result.task_hours, result.last_average);
    for (const auto& each : result.actions) all += fmt::format(" {}→{}", each.from, each.to);
    return all;
  };
  EXPECT_EQ(text(1), text(1));
  EXPECT_NE(text(1), text(2));
}

TEST(Service, HealthyTasksAreNeverKilled) {
  Service service;
  service.tasks = 10;
  service.leaking = 0;
  service.duration = seconds(3600);
  const auto result = predict_service(service, course(), kStart, nullptr);
  EXPECT_EQ(result.kills, 0U);
  EXPECT_FALSE(result.first_kill);
  EXPECT_NEAR(result.highest_average, 40, 1e-9);
  EXPECT_NEAR(result.task_hours, 10, 1e-9);
}

}  // namespace
}  // namespace oomdrill::predict
