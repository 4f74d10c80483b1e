#include "predict/course.h"

#include <fmt/core.h>

#include <algorithm>

namespace oomdrill::predict {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::int64_t kMostSamples = 10'000'000;
/// As oomprobe: a forecast a minute, by the slope of the last seconds.
constexpr Nanoseconds kGrowthEvery = std::chrono::minutes(1);
constexpr Nanoseconds kGrowthWindow = std::chrono::seconds(5);

/// Those of the levels that `percent` is above for the first time.
void note_passes(std::array<std::optional<Nanoseconds>, kLevels.size()>& passes, double percent,
                 Nanoseconds at) {
  for (std::size_t i = 0; i < kLevels.size() && percent > kLevels[i]; ++i) {
    if (!passes[i]) passes[i] = at;
  }
}

std::uint64_t seen_by_ecs(const Course& course, std::uint64_t used) {
  return course.visibility.cgroup_v1 ? used - course.shared_bytes(used) : used;
}

}  // namespace

std::uint64_t Course::shared_bytes(std::uint64_t used) const {
  return visibility.shared ? used - std::min(used, leak.used_bytes) : 0;
}

double Course::memory_utilization(std::uint64_t used) const {
  const std::uint64_t seen = seen_by_ecs(*this, used);
  return static_cast<double>(seen - seen % kMiB) * 100 / static_cast<double>(leak.limit_bytes);
}

Result<Course> predict_course(const Leak& leak, const Visibility& visibility, Nanoseconds interval,
                              Nanoseconds horizon) {
  if (horizon / interval > kMostSamples) {
    return fail(fmt::format("{} samples are too many", horizon / interval), {},
                "give a longer interval or a shorter duration");
  }
  Course course{.leak = leak,
                .visibility = visibility,
                .interval = interval,
                .prediction = {},
                .used_bytes = {}};
  std::uint64_t now = leak.used_bytes;
  const auto fill = [&](Nanoseconds until) {
    while (static_cast<std::int64_t>(course.used_bytes.size()) * interval < until) {
      course.used_bytes.push_back(now);
    }
  };
  const auto look = [&](Nanoseconds at, std::uint64_t used) {
    note_passes(course.kernel_passes,
                static_cast<double>(used) * 100 / static_cast<double>(leak.limit_bytes), at);
    note_passes(course.utilization_passes, course.memory_utilization(used), at);
  };
  look(Nanoseconds(0), now);
  auto prediction = predict(leak, horizon, [&](Nanoseconds at, std::uint64_t used) {
    fill(at);
    look(at, used);
    now = used;
  });
  if (!prediction) return fail(prediction.error());
  course.prediction = *prediction;
  // A leak that stops holds what it has; what is killed is gone.
  const bool killed = prediction->end == Prediction::End::oom_kill;
  fill(prediction->after);
  if (visibility.released && !killed) now = leak.used_bytes;
  fill(killed ? prediction->after : horizon);
  return course;
}

void note_course(const Course& course, WallTime start, alarm::SeriesSet& series) {
  const auto second = [&](Nanoseconds after) {
    return std::chrono::floor<std::chrono::seconds>(start + after);
  };
  const auto limit = static_cast<double>(course.leak.limit_bytes);
  const auto never = [](std::string_view) -> std::optional<bool> { return std::nullopt; };
  const auto window =
      static_cast<std::size_t>(std::max<std::int64_t>(1, kGrowthWindow / course.interval));
  Nanoseconds next_growth = kGrowthEvery;
  for (std::size_t i = 0; i < course.used_bytes.size(); ++i) {
    const Nanoseconds at = static_cast<std::int64_t>(i) * course.interval;
    const std::uint64_t used = course.used_bytes[i];
    const auto member = [&](std::string_view name) -> std::optional<double> {
      if (name == "MemoryUtilization") return course.memory_utilization(used);
      if (name == "used_bytes" || name == "working_set_bytes") return static_cast<double>(used);
      if (name == "used_percent") return static_cast<double>(used) * 100 / limit;
      if (name == "headroom_bytes") return limit - static_cast<double>(used);
      if (name == "limit_bytes") return limit;
      if (name == "ecs_used_bytes") return static_cast<double>(seen_by_ecs(course, used));
      if (name == "shmem_bytes") return static_cast<double>(course.shared_bytes(used));
      if (name == "oom_killed") return 0;
      return std::nullopt;
    };
    series.note("memory.sample", second(at), member, never);
    if (at >= next_growth && i >= window) {
      next_growth += kGrowthEvery;
      const std::uint64_t before = course.used_bytes[i - window];
      if (used <= before) continue;
      const double rate = static_cast<double>(used - before) /
                          to_seconds(static_cast<std::int64_t>(window) * course.interval);
      const auto eta = [&](std::string_view name) -> std::optional<double> {
        if (name == "eta_oom_s") return (limit - static_cast<double>(used)) / rate;
        return std::nullopt;
      };
      series.note("memory.growth", second(at), eta, never);
    }
  }
  if (course.prediction.end == Prediction::End::oom_kill) {
    const auto kill = [](std::string_view name) -> std::optional<double> {
      if (name == "oom_killed") return 1;
      return std::nullopt;
    };
    series.note("memory.oom_kill", second(course.prediction.after), kill, never);
  }
}

}  // namespace oomdrill::predict
