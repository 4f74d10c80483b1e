#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "alarm/model.h"
#include "alarm/series.h"

/// Which samples an alarm sees: from the name of its metric to the members of our events.
namespace oomdrill::alarm {

/// Who publishes a metric.
enum class Publisher { ecs, container_insights, probe };

struct Metric {
  Publisher publisher;
  std::string_view name;
  /// The events that hold it, and their member; of `flag`, events count as 1 where it is true.
  std::array<std::string_view, 2> events;
  std::string_view member;
  double scale = 1;
  bool flag = false;
};

/// A metric of an alarm, resolved; `metric` is nullptr, with the reason in a sentence, where nobody
/// publishes it or a recording cannot hold it.
struct Resolved {
  const Metric* metric = nullptr;
  /// Members of memory.sample are metrics of their own name where a metric filter makes them so.
  std::string member = {};
  std::string why_not = {};
};

/// `probe_namespace` is what oomprobe --metric-namespace says, "oomdrill" by default.
Resolved resolve(const std::string& metric_namespace, const std::string& metric,
                 const std::string& probe_namespace);

/// The resolution of what a publisher sends: one minute, and one second for the probe's.
seconds resolution(Publisher publisher);

/// The series that some alarms watch, filled from events as they come.
class SeriesSet {
 public:
  SeriesSet(std::string probe_namespace = "oomdrill")
      : probe_namespace_(std::move(probe_namespace)) {}

  void want(const MetricAlarm& alarm) {
    want(alarm.metric_namespace, alarm.metric, alarm.statistic);
  }
  void want(const std::string& metric_namespace, const std::string& metric,
            const Statistic& statistic);

  /// `real` and `truth` give a member of the event as a number or a truth value, or nullopt.
  template <class Real, class Truth>
  void note(std::string_view event, Instant at, Real real, Truth truth) {
    for (auto& [name, entry] : entries_) {
      const Resolved& source = entry.source;
      const bool from_sample = source.metric == nullptr && !source.member.empty();
      if (source.metric == nullptr && !from_sample) continue;
      if (from_sample ? event != "memory.sample"
                      : event != source.metric->events[0] && event != source.metric->events[1]) {
        continue;
      }
      if (from_sample) {
        if (const auto value = real(source.member)) entry.series.add(at, *value);
      } else if (source.metric->flag) {
        if (truth(source.metric->member).value_or(false)) entry.series.add(at, 1);
      } else if (const auto value = real(source.metric->member)) {
        entry.series.add(at, *value * source.metric->scale);
      }
    }
  }

  /// nullptr: nobody publishes it, or it was not wanted.
  [[nodiscard]] const Series* find(const std::string& metric_namespace,
                                   const std::string& metric) const;
  [[nodiscard]] Series* find(const std::string& metric_namespace, const std::string& metric);
  /// Why there is no point of it: empty where there are some.
  [[nodiscard]] std::string why_empty(const std::string& metric_namespace,
                                      const std::string& metric) const;
  [[nodiscard]] const std::string& probe_namespace() const { return probe_namespace_; }

 private:
  struct Entry {
    Resolved source;
    Series series;
  };
  using Key = std::pair<std::string, std::string>;

  std::string probe_namespace_;
  std::map<Key, Entry> entries_;
};

}  // namespace oomdrill::alarm
