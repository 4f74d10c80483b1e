#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace oomdrill::rightsize {

/// What Fargate sells: CPU units with memory in MiB.
struct FargateSize {
  std::uint32_t cpu;
  std::uint32_t memory_mib;
};

/// The least memory that holds `bytes`, with the least CPU that has it, from `least_cpu` on.
/// nullopt: above 120 GiB.
std::optional<FargateSize> fargate_size(std::uint64_t bytes, std::uint32_t least_cpu = 0);

/// "256, 512, …": the CPU units that it sells.
std::string fargate_cpus();
/// Whether it sells them.
bool fargate_sells(std::uint64_t cpu);

}  // namespace oomdrill::rightsize
