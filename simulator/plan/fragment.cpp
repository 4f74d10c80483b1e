#include <array>

#include "patterns.h"
#include "rounds.h"
#include "settings.h"

namespace oomdrill::plan {
namespace {

// Measured with glibc 2.36, rounds of 16 MiB: every second block kept and blocks 64 B larger each
// round, resident memory rises by the whole round each time (8 rounds: 134 MiB for 64 MiB live,
// malloc_trim gives nothing back); 1 of 64 kept, it stays at 21.5 MiB for 0.25 MiB live, and later
// rounds of any larger size fill the holes.
constexpr std::array kParameters = {
    Parameter{"rate", "RATE", "1MB/s", "at which blocks are allocated"},
    Parameter{"block", "SIZE", "64", "of a block in the first round, 16 to 64KiB"},
    Parameter{"step", "SIZE", "64",
              "by which each round's blocks are larger, so that they do not fit the holes; 0: all "
              "rounds alike"},
    Parameter{"round", "SIZE", "16MiB", "allocated before most is freed"},
    Parameter{"keep", "N", "2", "one block of N survives; from 3 on later rounds fit the holes"}};

Result<std::unique_ptr<Plan>> make(const Settings& settings, std::uint64_t seed) {
  const auto rate = read_setting(settings, kParameters[0], parse_rate);
  if (!rate) return fail(rate.error());
  const auto block = read_setting(settings, kParameters[1], parse_block);
  if (!block) return fail(block.error());
  const auto step = read_setting(settings, kParameters[2], parse_bytes);
  if (!step) return fail(step.error());
  const auto round = read_setting(settings, kParameters[3], parse_size);
  if (!round) return fail(round.error());
  const auto keep = read_setting(settings, kParameters[4], parse_keep);
  if (!keep) return fail(keep.error());
  if (*step > Rounds::kLargestBlock) {
    return fail(format_bytes(*step) + " is out of range", "step", "give 0 to 64KiB");
  }
  if (auto status = check_round(*round, *block, *keep, "round"); !status) {
    return fail(status.error());
  }
  const auto block_of = [first = *block, each = *step](std::uint32_t index) {
    const std::uint64_t sizes = each == 0 ? 1 : (Rounds::kLargestBlock - first) / each + 1;
    return first + index % sizes * each;
  };
  return std::make_unique<Rounds>(*rate, block_of, *round, *keep, seed);
}

}  // namespace

constinit const Pattern kFragment = {
    .name = "fragment",
    .help =
        "allocates small blocks in rounds and frees all but every N-th of each: live memory falls, "
        "and resident memory stays",
    .parameters = kParameters,
    .needs_blocks = true,
    .ends = false,
    .make = make};

}  // namespace oomdrill::plan
