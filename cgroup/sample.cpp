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

}  // namespace oomdrill::cgroup
