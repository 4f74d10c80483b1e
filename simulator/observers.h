#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "cgroup/sample.h"
#include "memory/memory.h"
#include "telemetry/event.h"

namespace oomdrill::simulator {

/// Who looks at a container's memory.
enum class Observer { cgroup, rss, docker, kubelet, ecs_v1, ecs_v2 };

struct ObserverInfo {
  Observer observer;
  std::string_view name;     ///< as people call it
  std::string_view field;    ///< of the object `observers` in the events
  std::string_view formula;  ///< in the kernel's words
};

/// The one table.
std::span<const ObserverInfo> observers();

/// What an observer shows of a moment, in bytes; nullopt where a counter that it needs is absent.
std::optional<std::uint64_t> shown(Observer observer, const cgroup::Sample& sample,
                                   std::optional<std::uint64_t> rss);

/// Every observer at one moment.
struct Observed {
  cgroup::Sample sample;  ///< with memory.stat
  std::optional<std::uint64_t> rss;
  std::optional<std::uint64_t> limit;
};

/// The object `observers`.
void add_observers(telemetry::Event& event, const Observed& observed);

/// `sample` with `bytes` more of a kind of memory, as the kernel counts it.
cgroup::Sample with(const cgroup::Sample& sample, memory::Counter counter, std::uint64_t bytes);

/// The claimed counter in a sample. Of `none`, which claims that nothing rises: the usage.
std::optional<std::uint64_t> counter_of(memory::Counter counter, const cgroup::Sample& sample);
std::string_view name(memory::Counter counter);

/// Whether the kernel charged what a kind claims.
class Proof {
 public:
  Proof() = default;
  /// `before`: with memory.stat, before the first byte.
  Proof(const memory::Claim& claim, const cgroup::Sample& before);

  /// By how much the claimed counter has risen, less than 0 counting as 0; nullopt: unreadable.
  [[nodiscard]] std::optional<std::uint64_t> charged(const cgroup::Sample& now) const;
  /// Whether that is `live` bytes within 2 %, the stated overhead and what the kernel's own
  /// batches of charges (64 pages a CPU) and other processes of the container may add. Where the
  /// kind keeps what is given back, it may be as much as was ever `allocated`.
  [[nodiscard]] std::optional<bool> as_claimed(const cgroup::Sample& now, std::uint64_t live,
                                               std::uint64_t allocated) const;

 private:
  memory::Claim claim_;
  std::optional<std::uint64_t> before_;
};

}  // namespace oomdrill::simulator
