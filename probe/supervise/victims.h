#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "supervise/process_table.h"

namespace oomdrill::probe {

struct Victim {
  ProcessFacts facts;
  bool certain = false;  ///< its SIGKILL was seen; false: it vanished, and its size fits
};

/// Who the kernel killed, as far as it can be told without its log. The largest first.
struct Victims {
  static constexpr std::size_t kMost = 4;
  std::array<Victim, kMost> named;
  std::size_t size = 0;

  void add(const ProcessFacts& facts, bool certain) {
    if (size < kMost) named[size++] = {facts, certain};
  }
};

struct KillCircumstances {
  std::uint64_t kills = 0;
  pid_t known = 0;  ///< one that is certain to be a victim; 0: none
  /// What the cgroup took between the last look and the limit: 0 where that is not known.
  std::uint64_t unseen_bytes = 0;
  std::uint64_t largest_living = 0;  ///< RSS of the largest process that is still there
  bool complete = false;             ///< ProcessTable::complete()
};

/// Chooses among those who are gone. One that nobody saw a SIGKILL on is named only if it was of a
/// size that explains the kill: one who was born and died between two looks leaves no trace, and
/// then some small process that happened to end must not be taken for it. Where there is no such
/// one and nobody but as many as were killed is gone, it was them, whatever their size had been.
Victims name_victims(std::span<const Departed> departed, const KillCircumstances& kill);

}  // namespace oomdrill::probe
