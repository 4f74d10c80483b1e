#include <algorithm>
#include <array>

#include "patterns.h"
#include "ramp.h"
#include "settings.h"

namespace oomdrill::plan {
namespace {

struct Shape {
  std::uint64_t block;  ///< of the first round
  std::uint64_t step;   ///< by which each round's blocks are larger
  std::uint64_t round;  ///< bytes allocated a round
  std::uint64_t keep;
};

/// Rounds: allocate many blocks along the ramp, then free all but every keep-th at once.
class Fragment final : public Plan {
 public:
  Fragment(double rate, const Shape& shape, std::uint64_t seed)
      : ramp_(rate), shape_(shape), random_(seed) {
    begin_round();
  }

  std::optional<Step> next() override {
    if (left_ == 0) {
      const Step step{ramp_.due(step_), FreeMost{group_, shape_.keep, draw(shape_.keep)}};
      ++group_;
      begin_round();
      return step;
    }
    // The step in which the ramp has room for a block; within a step's bytes several rounds fit.
    while (ramp_.bytes_by(step_) - allocated_ < block_) {
      if (ramp_.bytes_by(step_) == Ramp::kMost) return std::nullopt;
      ++step_;
    }
    const std::uint64_t count = std::min(left_, (ramp_.bytes_by(step_) - allocated_) / block_);
    left_ -= count;
    allocated_ += count * block_;
    return Step{ramp_.due(step_), Allocate{count, block_, group_}};
  }

  [[nodiscard]] std::optional<double> nominal_rate() const override { return ramp_.rate(); }

  static constexpr std::uint64_t kLargestBlock = 64 << 10;

 private:
  void begin_round() {
    block_ = shape_.block + group_ * shape_.step;
    if (block_ > kLargestBlock) {
      const std::uint64_t sizes = (kLargestBlock - shape_.block) / shape_.step + 1;
      block_ = shape_.block + group_ % sizes * shape_.step;
    }
    left_ = std::max<std::uint64_t>(1, shape_.round / block_);
  }

  /// splitmix64; the modulo's bias is of no account for keep ≪ 2^64.
  std::uint64_t draw(std::uint64_t below) {
    std::uint64_t z = random_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (z ^ (z >> 31)) % below;
  }

  Ramp ramp_;
  Shape shape_;
  std::uint64_t random_;
  std::uint64_t step_ = 0;
  std::uint32_t group_ = 0;
  std::uint64_t block_ = 0;
  std::uint64_t left_ = 0;       ///< blocks that the round still allocates
  std::uint64_t allocated_ = 0;  ///< bytes, in all rounds
};

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
  const auto block = read_setting(settings, kParameters[1], parse_bytes);
  if (!block) return fail(block.error());
  const auto step = read_setting(settings, kParameters[2], parse_bytes);
  if (!step) return fail(step.error());
  const auto round = read_setting(settings, kParameters[3], parse_bytes);
  if (!round) return fail(round.error());
  const auto keep = read_setting(settings, kParameters[4], [](std::string_view text) {
    return parse_whole(text, 2, std::uint64_t{1} << 32);
  });
  if (!keep) return fail(keep.error());
  if (*block < 16 || *block > Fragment::kLargestBlock) {
    return fail(format_bytes(*block) + " is out of range", "block", "give 16 to 64KiB");
  }
  if (*step > Fragment::kLargestBlock) {
    return fail(format_bytes(*step) + " is out of range", "step", "give 0 to 64KiB");
  }
  if (*round / *block < *keep) {
    return fail(format_bytes(*round) + " is less than `keep` blocks", "round",
                "give at least " + format_bytes(*block * *keep));
  }
  return std::make_unique<Fragment>(*rate, Shape{*block, *step, *round, *keep}, seed);
}

}  // namespace

constinit const Pattern kFragment = {
    .name = "fragment",
    .help =
        "allocates small blocks in rounds and frees all but every N-th of each: live memory falls, "
        "and resident memory stays",
    .parameters = kParameters,
    .needs_blocks = true,
    .make = make};

}  // namespace oomdrill::plan
