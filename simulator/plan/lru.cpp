#include <algorithm>
#include <array>
#include <deque>
#include <vector>

#include "patterns.h"
#include "ramp.h"
#include "random.h"
#include "rounds.h"
#include "settings.h"

namespace oomdrill::plan {
namespace {

/// One of so many entries is evicted at once: an eviction walks along all of them, in an order that
/// no cache foresees. Measured, 52 MiB of 240 B: with 128 the walks took all of the time at 12
/// MB/s.
constexpr std::uint64_t kBatch = 16;

struct Shape {
  std::uint64_t cache;
  std::array<std::uint64_t, 2> blocks;
  std::uint64_t turn;  ///< inserted before the size changes
  std::uint64_t sample;
  std::uint64_t grow;  ///< of the cache, at each turn
};

class Lru final : public Plan {
 public:
  Lru(double rate, const Shape& shape, std::uint64_t seed)
      : ramp_(rate), shape_(shape), random_(seed) {
    begin_generation();
  }

  std::optional<Step> next() override {
    if (evictions_.empty() && live_ + block() > shape_.cache) evict();
    if (!evictions_.empty()) {
      const FreeSampled eviction = evictions_.back();
      evictions_.pop_back();
      return Step{ramp_.due(step_), eviction};
    }
    while (ramp_.bytes_by(step_) - allocated_ < block()) {
      if (ramp_.bytes_by(step_) == Ramp::kMost) return std::nullopt;
      ++step_;
    }
    const std::uint64_t count = std::min(
        {left_, (ramp_.bytes_by(step_) - allocated_) / block(), (shape_.cache - live_) / block()});
    Generation& generation = generations_.back();
    const Step step{ramp_.due(step_), Allocate{count, block(), generation.group}};
    generation.count += count;
    live_ += count * block();
    allocated_ += count * block();
    left_ -= count;
    if (left_ == 0) {
      shape_.cache += std::min(shape_.grow, Ramp::kMost - shape_.cache);
      begin_generation();
    }
    return step;
  }

  [[nodiscard]] std::optional<double> nominal_rate() const override { return ramp_.rate(); }

 private:
  /// Blocks of one size, inserted in a row.
  struct Generation {
    std::uint32_t group;
    std::uint64_t block;
    std::uint64_t count;
  };

  [[nodiscard]] std::uint64_t block() const { return generations_.back().block; }

  void begin_generation() {
    const std::uint64_t block = shape_.blocks[next_group_ % 2];
    generations_.push_back({next_group_++, block, 0});
    left_ = std::max<std::uint64_t>(1, shape_.turn / block);
  }

  /// Draws the victims over the whole cache, oldest generation first, and counts them by
  /// generation; which of its blocks go is the step's own draw.
  void evict() {
    std::uint64_t total = 0;
    for (const Generation& each : generations_) total += each.count;
    const std::uint64_t count = std::min(total, std::max<std::uint64_t>(1, total / kBatch));
    SampledPositions victims({0, count, shape_.sample, random_.next()}, total);
    std::uint64_t end = 0;
    auto victim = victims.next();
    for (Generation& each : generations_) {
      end += each.count;
      std::uint64_t of_it = 0;
      for (; victim && *victim < end; victim = victims.next()) ++of_it;
      if (of_it == 0) continue;
      evictions_.push_back({each.group, of_it, shape_.sample, random_.next()});
      live_ -= of_it * each.block;
      each.count -= of_it;
    }
    // Taken from the back: oldest first.
    std::reverse(evictions_.begin(), evictions_.end());
    std::erase_if(generations_, [this](const Generation& each) {
      return each.count == 0 && each.group != generations_.back().group;
    });
  }

  Ramp ramp_;
  Shape shape_;
  Random random_;
  std::deque<Generation> generations_;
  std::uint32_t next_group_ = 0;
  std::vector<FreeSampled> evictions_;
  std::uint64_t step_ = 0;
  std::uint64_t live_ = 0;
  std::uint64_t left_ = 0;  ///< blocks that the generation still inserts
  std::uint64_t allocated_ = 0;
};

// Redis's experiment, and the Mesh paper's (2019): a cache of 100 MB, 700,000 blocks of 240 B, then
// 170,000 of 492 B. Measured, resident over used: 1.46 with glibc, 1.69 with jemalloc, 1.77 with
// mimalloc, 1.73 with tcmalloc.
constexpr std::array kParameters = {
    Parameter{"rate", "RATE", "1MB/s", "at which entries are inserted"},
    Parameter{"cache", "SIZE", "32MiB", "that the entries may have together"},
    Parameter{"block", "SIZE", "240", "of an entry at first, 16 to 64KiB"},
    Parameter{"next", "SIZE", "492", "of an entry after `turn`; then the two alternate"},
    Parameter{"turn", "SIZE", "48MiB", "inserted of one size before it changes"},
    Parameter{"sample", "N", "5",
              "entries drawn for an eviction, of which the oldest goes; 1: any"},
    Parameter{"grow", "SIZE", "0", "by which the cache may have more at each turn"}};

Result<std::unique_ptr<Plan>> make(const Settings& settings, std::uint64_t seed) {
  const auto rate = read_setting(settings, kParameters[0], parse_rate);
  if (!rate) return fail(rate.error());
  const auto cache = read_setting(settings, kParameters[1], parse_size);
  if (!cache) return fail(cache.error());
  const auto block = read_setting(settings, kParameters[2], parse_block);
  if (!block) return fail(block.error());
  const auto next = read_setting(settings, kParameters[3], parse_block);
  if (!next) return fail(next.error());
  const auto turn = read_setting(settings, kParameters[4], parse_some_bytes);
  if (!turn) return fail(turn.error());
  const auto sample = read_setting(
      settings, kParameters[5], [](std::string_view text) { return parse_whole(text, 1, 1000); });
  if (!sample) return fail(sample.error());
  const auto grow = read_setting(settings, kParameters[6], parse_bytes);
  if (!grow) return fail(grow.error());
  const std::uint64_t least = std::max(*block, *next) * kBatch;
  if (*cache < least) {
    return fail(format_bytes(*cache) + " is too small for its entries", "cache",
                "give at least " + format_bytes(least));
  }
  return std::make_unique<Lru>(*rate, Shape{*cache, {*block, *next}, *turn, *sample, *grow}, seed);
}

}  // namespace

constinit const Pattern kLru = {
    .name = "lru",
    .help =
        "a cache of constant size whose entries change theirs: the oldest of a sample goes, and "
        "what comes does not fit its place",
    .parameters = kParameters,
    .needs_blocks = true,
    .ends = false,
    .make = make};

}  // namespace oomdrill::plan
