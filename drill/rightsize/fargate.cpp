#include "rightsize/fargate.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace oomdrill::rightsize {
namespace {

struct Row {
  std::uint32_t cpu;
  std::uint32_t least_mib;
  std::uint32_t most_mib;
  std::uint32_t step_mib;
};

/// AWS Fargate task sizes; the 512 MiB of 256 CPU units stand outside its steps.
constexpr std::array kRows = {
    Row{256, 512, 512, 512},       Row{256, 1024, 2048, 1024},      Row{512, 1024, 4096, 1024},
    Row{1024, 2048, 8192, 1024},   Row{2048, 4096, 16384, 1024},    Row{4096, 8192, 30720, 1024},
    Row{8192, 16384, 61440, 4096}, Row{16384, 32768, 122880, 8192},
};

}  // namespace

std::optional<FargateSize> fargate_size(std::uint64_t bytes, std::uint32_t least_cpu) {
  const std::uint64_t mib = (bytes + (1U << 20U) - 1) >> 20U;
  std::optional<FargateSize> best;
  for (const Row& row : kRows) {
    if (row.cpu < least_cpu || mib > row.most_mib) continue;
    const std::uint64_t above = mib > row.least_mib ? mib - row.least_mib : 0;
    const auto size = static_cast<std::uint32_t>(row.least_mib + (above + row.step_mib - 1) /
                                                                     row.step_mib * row.step_mib);
    if (!best || size < best->memory_mib) best = FargateSize{row.cpu, size};
  }
  return best;
}

std::string fargate_cpus() {
  std::string all;
  std::uint32_t last = 0;
  for (const Row& row : kRows) {
    if (row.cpu != last) all += fmt::format("{}{}", all.empty() ? "" : ", ", row.cpu);
    last = row.cpu;
  }
  return all;
}

bool fargate_sells(std::uint64_t cpu) {
  return std::any_of(kRows.begin(), kRows.end(), [cpu](const Row& row) { return row.cpu == cpu; });
}

}  // namespace oomdrill::rightsize
