#include "rounds.h"

#include <algorithm>

namespace oomdrill::plan {

Rounds::Rounds(double rate, BlockOf block_of, std::uint64_t round_bytes, std::uint64_t keep,
               std::uint64_t seed)
    : ramp_(rate),
      block_of_(std::move(block_of)),
      round_bytes_(round_bytes),
      keep_(keep),
      random_(seed) {
  begin_round();
}

void Rounds::begin_round() {
  block_ = block_of_(group_);
  left_ = std::max<std::uint64_t>(1, round_bytes_ / block_);
}

std::optional<Step> Rounds::next() {
  if (left_ == 0) {
    const Step step{ramp_.due(step_), FreeMost{group_, keep_, random_.below(keep_)}};
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

Result<std::uint64_t> parse_block(std::string_view text) {
  auto block = parse_bytes(text);
  if (block && (*block < Rounds::kSmallestBlock || *block > Rounds::kLargestBlock)) {
    return fail(format_bytes(*block) + " is out of range", {}, "give 16 to 64KiB");
  }
  return block;
}

Result<std::uint64_t> parse_keep(std::string_view text) {
  return parse_whole(text, 2, std::uint64_t{1} << 32);
}

Result<void> check_round(std::uint64_t bytes, std::uint64_t block, std::uint64_t keep,
                         std::string_view parameter) {
  if (bytes / block >= keep) return {};
  return fail(format_bytes(bytes) + " is less than `keep` blocks", std::string(parameter),
              "give at least " + format_bytes(block * keep));
}

}  // namespace oomdrill::plan
