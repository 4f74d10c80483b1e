#include "cgroup/sample.h"

namespace oomdrill::cgroup {
namespace {

Bytes less(std::uint64_t current, const Bytes& part) {
  if (!part) return std::nullopt;
  return current > *part ? current - *part : 0;
}

}  // namespace

Bytes ecs_used(const Sample& sample, Version version) {
  return less(sample.current,
              version == Version::v1 ? sample.stat.file : sample.stat.inactive_file);
}

Bytes working_set(const Sample& sample) { return less(sample.current, sample.stat.inactive_file); }

Bytes docker_used(const Sample& sample) {
  const Bytes& inactive = sample.stat.inactive_file;
  if (!inactive) return std::nullopt;
  // Docker subtracts only what leaves something: its command line falls back to all of it.
  return sample.current > *inactive ? sample.current - *inactive : sample.current;
}

std::optional<double> ecs_utilization(const Bytes& used, const Bytes& whole) {
  constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
  if (!used || !whole || *whole == 0) return std::nullopt;
  return 100.0 * static_cast<double>(*used - *used % kMiB) / static_cast<double>(*whole);
}

}  // namespace oomdrill::cgroup
