#pragma once

#include "ecs/metadata.h"
#include "ecs/stats.h"
#include "source/source.h"

namespace oomdrill::probe {

/// One container as the ECS endpoint's /task/stats tells of it. Asks nobody: what was answered is
/// given to it, and a reading is of that. Counts no OOM kills, which the endpoint does not tell.
class EndpointSource final : public Source {
 public:
  /// `host`: MemTotal, which Docker gives as the limit of a container that has none.
  explicit EndpointSource(cgroup::Bytes host) : host_(host) { subject_.host_bytes = host; }

  /// `task`: as that container sees it, nullopt where /task could not be had.
  void update(const ecs::MemoryStats& stats, const std::optional<ecs::Task>& task);
  /// Something was answered since the last reading.
  [[nodiscard]] bool fresh() const { return fresh_; }

  Result<void> read(Reading& reading) override;
  Result<void> read_counters(Reading& reading) override;
  [[nodiscard]] int events_fd() const override { return -1; }
  [[nodiscard]] const Subject& subject() const override { return subject_; }

 private:
  cgroup::Bytes host_;
  cgroup::Sample sample_;
  Subject subject_;
  bool fresh_ = false;
};

}  // namespace oomdrill::probe
