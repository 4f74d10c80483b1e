#include "predict/service.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <random>

namespace oomdrill::predict {
namespace {

using alarm::Instant;
using alarm::Sum;

/// The ECS agent's samples; CloudWatch makes a point a minute of them.
constexpr std::int32_t kSampleEvery = 20;
constexpr std::int32_t kMinute = 60;

class Simulation {
 public:
  Simulation(const Service& service, const Course& course, Instant start, alarm::SeriesSet* series)
      : service_(service),
        start_(start),
        random_(service.seed),
        end_(static_cast<std::int32_t>(service.duration.count())) {
    levels_.reserve(course.used_bytes.size());
    for (const std::uint64_t used : course.used_bytes) {
      levels_.push_back(static_cast<float>(course.memory_utilization(used)));
    }
    if (course.prediction.end == Prediction::End::oom_kill) {
      life_ = std::max<std::int32_t>(
          1, static_cast<std::int32_t>(std::lround(to_seconds(course.prediction.after))));
    }
    if (levels_.empty()) levels_.push_back(static_cast<float>(service.healthy_percent));
    if (series != nullptr) {
      utilization_[0] = series->find("AWS/ECS", "MemoryUtilization");
      utilization_[1] = series->find(series->probe_namespace(), "MemoryUtilization");
      killed_ = series->find(series->probe_namespace(), "oom_killed");
    }
    kills_.resize(static_cast<std::size_t>(end_ / kMinute) + 2);
    if (service.scaling) tracking_.emplace(*service.scaling, service.tasks);
  }

  ServiceResult run() {
    const auto leaking = static_cast<std::uint32_t>(std::lround(service_.leaking * service_.tasks));
    result_.initially_leaking = leaking;
    for (std::uint32_t i = 0; i < leaking; ++i) leakers_.push_back({spread(), 0});
    healthy_ = service_.tasks - leaking;
    for (std::int32_t minute = 0; minute < end_; minute += kMinute) {
      const Sum sum = take_samples(minute);
      scale(minute + kMinute, sum);
    }
    if (killed_ != nullptr) {
      for (std::size_t i = 0; i < kills_.size(); ++i) {
        if (kills_[i] == 0) continue;
        const auto kills = static_cast<double>(kills_[i]);
        killed_->add(at(static_cast<std::int32_t>(i) * kMinute), Sum{kills, 1, 1, kills_[i]});
      }
    }
    return std::move(result_);
  }

 private:
  struct Leaker {
    std::int32_t start;  ///< of its present life; in the future while it waits
    std::uint32_t kills;
  };

  [[nodiscard]] Instant at(std::int32_t second) const { return start_ + seconds(second); }

  /// Standard distributions differ between libraries; this does not.
  double draw() { return static_cast<double>(random_() >> 11) * 0x1p-53; }

  std::int32_t spread() {
    return static_cast<std::int32_t>(draw() * static_cast<double>(service_.stagger.count()));
  }

  std::int32_t delay(std::uint32_t kills) const {
    const double wanted = static_cast<double>(service_.restart_delay.count()) *
                          std::pow(service_.back_off, std::min(kills - 1, 64U));
    const double longest =
        static_cast<double>(std::max(service_.longest_delay, service_.restart_delay).count());
    return static_cast<std::int32_t>(std::clamp(wanted, 1.0, longest));
  }

  /// Ends the lives that are over by `now`.
  void kill(Leaker& leaker, std::int32_t now) {
    while (*life_ <= now - leaker.start) {
      const std::int32_t died = leaker.start + *life_;
      ++leaker.kills;
      ++result_.kills;
      ++kills_[static_cast<std::size_t>(died / kMinute)];
      if (!result_.first_kill || seconds(died) < *result_.first_kill) {
        result_.first_kill = seconds(died);
      }
      leaker.start = died + delay(leaker.kills);
    }
  }

  Sum take_samples(std::int32_t minute) {
    Sum whole;
    const std::size_t last = levels_.size() - 1;
    for (std::int32_t now = minute; now < minute + kMinute; now += kSampleEvery) {
      while (!pending_.empty() && pending_.front() <= now) {
        pending_.pop_front();
        if (draw() < service_.leaking) {
          leakers_.push_back({now, 0});
        } else {
          ++healthy_;
        }
      }
      double sum = 0;
      float most = 0;
      float least = 1e9F;
      std::uint32_t running = 0;
      for (Leaker& leaker : leakers_) {
        if (life_ && *life_ <= now - leaker.start) kill(leaker, now);
        const std::int32_t age = now - leaker.start;
        if (age < 0) continue;
        const float level = levels_[std::min(static_cast<std::size_t>(age), last)];
        sum += level;
        most = std::max(most, level);
        least = std::min(least, level);
        ++running;
      }
      if (healthy_ > 0) {
        const auto level = static_cast<float>(service_.healthy_percent);
        sum += service_.healthy_percent * healthy_;
        most = std::max(most, level);
        least = std::min(least, level);
        running += healthy_;
      }
      running_ = running;
      result_.task_hours += static_cast<double>(running) * kSampleEvery / 3600;
      result_.most_tasks = std::max(result_.most_tasks, running);
      if (running == 0) continue;
      const Sum sample{sum, least, most, running};
      whole.add(sample);
      for (alarm::Series* each : utilization_) {
        if (each != nullptr) each->add(at(now), sample);
      }
      if (killed_ != nullptr) killed_->add(at(now), Sum{0, 0, 0, running});
    }
    if (whole.count > 0) {
      result_.last_average = whole.sum / static_cast<double>(whole.count);
      result_.highest_average = std::max(result_.highest_average, result_.last_average);
      result_.highest_task = std::max(result_.highest_task, whole.most);
    }
    return whole;
  }

  void scale(std::int32_t now, const Sum& sum) {
    if (!tracking_) return;
    averages_.push_back(sum.count > 0 ? std::optional(sum.sum / static_cast<double>(sum.count))
                                      : std::nullopt);
    const std::int64_t late = (service_.metric_delay.count() + kMinute - 1) / kMinute;
    if (static_cast<std::int64_t>(averages_.size()) <= late) return;
    const auto average = averages_.front();
    averages_.pop_front();
    const auto action = tracking_->step(at(now), average, running_);
    if (!action) return;
    result_.actions.push_back(*action);
    const std::uint64_t there = leakers_.size() + healthy_ + pending_.size();
    for (std::uint64_t i = there; i < action->to; ++i) {
      pending_.push_back(now + static_cast<std::int32_t>(service_.start_up.count()));
    }
    for (std::uint64_t i = action->to; i < there; ++i) remove_one();
  }

  /// ECS does not know which task leaks.
  void remove_one() {
    if (!pending_.empty()) {
      pending_.pop_back();
      return;
    }
    const auto all = static_cast<double>(leakers_.size() + healthy_);
    const auto chosen = static_cast<std::size_t>(draw() * all);
    if (chosen < leakers_.size()) {
      leakers_[chosen] = leakers_.back();
      leakers_.pop_back();
    } else if (healthy_ > 0) {
      --healthy_;
    }
  }

  const Service& service_;
  Instant start_;
  std::mt19937_64 random_;
  std::int32_t end_;
  std::vector<float> levels_;              ///< percent, by age in seconds
  std::optional<std::int32_t> life_ = {};  ///< seconds from start to kill
  std::vector<Leaker> leakers_;
  std::uint32_t healthy_ = 0;
  std::uint32_t running_ = 0;
  std::deque<std::int32_t> pending_;  ///< when asked-for tasks begin
  std::deque<std::optional<double>> averages_;
  std::optional<scaling::TargetTracking> tracking_;
  std::vector<std::uint32_t> kills_;  ///< by minute
  std::array<alarm::Series*, 2> utilization_{};
  alarm::Series* killed_ = nullptr;
  ServiceResult result_;
};

}  // namespace

ServiceResult predict_service(const Service& service, const Course& course, Instant start,
                              alarm::SeriesSet* series) {
  return Simulation(service, course, start, series).run();
}

}  // namespace oomdrill::predict
