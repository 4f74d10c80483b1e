#include <array>

#include "patterns.h"
#include "rounds.h"
#include "settings.h"

namespace oomdrill::plan {
namespace {

// Measured, 256 MiB of 64 B, refilled with 96 B, resident MiB with glibc, jemalloc, mimalloc and
// tcmalloc: 1 of 64 kept 316, 520, 512, 512; every second one kept 470, 394, 387, 387.
constexpr std::array kParameters = {
    Parameter{"rate", "RATE", "1MB/s", "at which blocks are allocated"},
    Parameter{"block", "SIZE", "64", "of the blocks that make the comb, 16 to 64KiB"},
    Parameter{"refill", "SIZE", "96", "of those that come next and do not fit between its teeth"},
    Parameter{"fill", "SIZE", "16MiB", "allocated of either size before most of it is freed"},
    Parameter{"keep", "N", "2", "one block of N is a tooth; 64: one a page"}};

Result<std::unique_ptr<Plan>> make(const Settings& settings, std::uint64_t seed) {
  const auto rate = read_setting(settings, kParameters[0], parse_rate);
  if (!rate) return fail(rate.error());
  const auto block = read_setting(settings, kParameters[1], parse_block);
  if (!block) return fail(block.error());
  const auto refill = read_setting(settings, kParameters[2], parse_block);
  if (!refill) return fail(refill.error());
  const auto fill = read_setting(settings, kParameters[3], parse_size);
  if (!fill) return fail(fill.error());
  const auto keep = read_setting(settings, kParameters[4], parse_keep);
  if (!keep) return fail(keep.error());
  if (auto status = check_round(*fill, std::max(*block, *refill), *keep, "fill"); !status) {
    return fail(status.error());
  }
  const auto block_of = [even = *block, odd = *refill](std::uint32_t round) {
    return round % 2 == 0 ? even : odd;
  };
  return std::make_unique<Rounds>(*rate, block_of, *fill, *keep, seed);
}

}  // namespace

constinit const Pattern kComb = {
    .name = "comb",
    .help =
        "fills with blocks of one size, frees all but every N-th, and refills with a larger size "
        "that does not fit the gaps; then begins again",
    .parameters = kParameters,
    .needs_blocks = true,
    .ends = false,
    .make = make};

}  // namespace oomdrill::plan
