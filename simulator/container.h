#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "cgroup/limit.h"
#include "cgroup/location.h"
#include "cgroup/reader.h"
#include "cgroup/sample.h"
#include "ecs/metadata.h"

namespace oomdrill::simulator {

/// Which reading of a cgroup a target is compared with; the formulas are cgroup/'s.
enum class Basis {
  current,      ///< memory.current, memory.usage_in_bytes: what the limit binds
  working_set,  ///< as docker stats and the kubelet show it
  anon,         ///< anonymous memory alone
  ecs           ///< what the ECS agent takes as used
};

std::string_view name(Basis basis);
/// Error: unknown; it lists the known ones.
Result<Basis> parse_basis(std::string_view text);

/// The memory cgroup that the leak grows in.
class Container {
 public:
  /// Error: no memory cgroup, or one that cannot be read.
  static Result<Container> open(const FileRoot& root, const std::optional<ecs::Task>& task);

  /// Reads the usage anew, and what `basis` needs beside it. Does not allocate unless it fails.
  Result<void> refresh(Basis basis = Basis::current);
  /// As of the last refresh(basis); nullopt where the kernel does not show it.
  [[nodiscard]] std::optional<std::uint64_t> reading(Basis basis) const;
  /// OOM kills in the cgroup so far, read now; nullopt where the kernel does not count them.
  [[nodiscard]] std::optional<std::uint64_t> oom_kills();
  /// Reads all of memory.stat too, which is dear (allocators.md).
  Result<void> refresh_all();
  /// As of the last refresh(); its memory.stat as of the last refresh_all().
  [[nodiscard]] const cgroup::Sample& sample() const { return sample_; }
  /// As of the last refresh().
  [[nodiscard]] std::uint64_t used() const { return sample_.current; }
  /// What the kernel would have to keep: used without the page cache that it drops first.
  [[nodiscard]] std::uint64_t needed() const {
    return cgroup::working_set(sample_).value_or(sample_.current);
  }

  [[nodiscard]] const cgroup::Location& location() const { return reader_.location(); }
  /// With its provenance, as it was at the start.
  [[nodiscard]] const cgroup::EffectiveLimit& effective() const { return limit_; }
  /// The limit now; nullopt where only the host's memory ends the growth.
  [[nodiscard]] std::optional<std::uint64_t> limit() const;
  [[nodiscard]] std::optional<std::uint64_t> host_memory() const;

 private:
  Container(cgroup::Reader reader, cgroup::EffectiveLimit limit)
      : reader_(std::move(reader)), limit_(std::move(limit)) {}

  cgroup::Reader reader_;
  cgroup::EffectiveLimit limit_;
  cgroup::Sample sample_;
};

/// Whether a leak may run there. Error: why not, and what to do.
Result<void> check_room(const Container& container, bool allow_unlimited);

}  // namespace oomdrill::simulator
