#pragma once

#include <cstdint>
#include <functional>

#include "plan/plan.h"
#include "ramp.h"
#include "random.h"

namespace oomdrill::plan {

/// Rounds of small blocks: allocate many along the ramp, then free all but every keep-th at once.
/// Which of them stay is the seed's choice. A round is a group of its own.
class Rounds final : public Plan {
 public:
  /// `block_of`: the size of a round's blocks, at least 16 and at most kLargestBlock.
  using BlockOf = std::function<std::uint64_t(std::uint32_t round)>;
  Rounds(double rate, BlockOf block_of, std::uint64_t round_bytes, std::uint64_t keep,
         std::uint64_t seed);

  std::optional<Step> next() override;
  [[nodiscard]] std::optional<double> nominal_rate() const override { return ramp_.rate(); }

  static constexpr std::uint64_t kSmallestBlock = 16;
  static constexpr std::uint64_t kLargestBlock = 64 << 10;

 private:
  void begin_round();

  Ramp ramp_;
  BlockOf block_of_;
  std::uint64_t round_bytes_;
  std::uint64_t keep_;
  Random random_;
  std::uint64_t step_ = 0;
  std::uint32_t group_ = 0;
  std::uint64_t block_ = 0;
  std::uint64_t left_ = 0;       ///< blocks that the round still allocates
  std::uint64_t allocated_ = 0;  ///< bytes, in all rounds
};

/// 16 B to 64 KiB.
Result<std::uint64_t> parse_block(std::string_view text);
/// One block of so many survives: from 2 on.
Result<std::uint64_t> parse_keep(std::string_view text);
/// Error: a round of `bytes` has fewer than `keep` blocks; it names `parameter`.
Result<void> check_round(std::uint64_t bytes, std::uint64_t block, std::uint64_t keep,
                         std::string_view parameter);

}  // namespace oomdrill::plan
