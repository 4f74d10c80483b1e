#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "source/reading.h"
#include "source/source.h"

namespace oomdrill::probe {

/// What was tried, and what came of it; empty where it worked.
struct Trial {
  bool applies = false;
  std::string failure;

  [[nodiscard]] bool works() const { return applies && failure.empty(); }
};

struct DoctorFacts {
  std::string kernel;  ///< release
  bool gvisor = false;
  std::optional<Subject> subject;  ///< nullopt: no memory cgroup
  std::string blind;               ///< why there is none
  Reading reading;
  Trial pollpri;                               ///< v2: poll(memory.events, POLLPRI)
  Trial event_control;                         ///< v1: eventfd through cgroup.event_control
  Trial cgroup_trigger;                        ///< v2: PSI trigger on memory.pressure
  Trial system_trigger;                        ///< PSI trigger on /proc/pressure/memory
  std::optional<std::uint64_t> memlock_limit;  ///< nullopt: unlimited
  Trial lock;
  std::optional<int> oom_score_adj;
  enum class Ecs { absent, answers, silent } ecs = Ecs::absent;
  std::string ecs_detail;  ///< the task, or what went wrong
};

/// What holds here, as sentences under a topic. Pure.
std::vector<std::pair<std::string, std::string>> guarantees(const DoctorFacts& facts);

std::string doctor_text(const DoctorFacts& facts);

}  // namespace oomdrill::probe
