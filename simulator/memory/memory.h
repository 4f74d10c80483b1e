#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "memory/content.h"
#include "plan/plan.h"

/// Kinds of memory: where the bytes of a leak live, and how the kernel accounts them.
namespace oomdrill::memory {

struct Block {
  std::uintptr_t handle = 0;  ///< the kind's own; an address where the kind says so
  std::uint64_t bytes = 0;
};

/// Memory of one kind, in use. Holds no list of its blocks: the ledger does.
class Memory {
 public:
  virtual ~Memory() = default;

  /// Room for at most `bytes` > 0, not written yet, so that it costs nothing so far; less where no
  /// more fits in a row, then the caller asks again. Error: the kernel has none.
  virtual Result<Block> reserve(std::uint64_t bytes) = 0;
  /// Writes content to [from, from + bytes) of a block, in order: now it is charged.
  virtual Result<void> write(const Block& block, std::uint64_t from, std::uint64_t bytes) = 0;
  /// Gives a block back. Of a kind with `divisible` blocks also the front of one, oldest first.
  virtual void release(const Block& block) = 0;
  /// Uses what was written to [from, from + bytes) once more, so that its pages are hot. Of a kind
  /// that is never swapped nor dropped: nothing.
  virtual void touch(const Block& block, std::uint64_t from, std::uint64_t bytes);
  /// No block is left: what it kept for the next ones, or of the last ones, goes too.
  virtual void reset();
  /// A power of two. Of divisible blocks a front is given back up to a multiple of it (in
  /// handles); the rest of it waits for more.
  [[nodiscard]] virtual std::uint64_t granule() const { return 1; }
};

/// The counter of the cgroup that rises with the bytes of a kind (cgroup::Stat); `none`: none
/// does, not even the usage.
enum class Counter { none, anon, shmem, file, kernel };

/// What the kernel is said to do with a kind's bytes; each run compares it with the counters.
struct Claim {
  Counter counter = Counter::none;
  bool resident = false;  ///< in the RSS of leaksim itself
  /// At most this share of the bytes is charged beside them: page tables, kernel objects.
  double overhead = 0;
  std::string_view overhead_help = {};  ///< what that is
  std::uint64_t granule = 0;            ///< charged in steps of as much, 0: of a page
  bool keeps = false;                   ///< what is given back may stay charged
};

/// From "NAME:KEY=VALUE,…", checked as far as names and listed values go.
using Settings = plan::Settings;

struct Kind {
  std::string_view name;
  std::string_view help;  ///< one sentence
  /// Handles are addresses or positions; blocks that touch may be joined, and released from the
  /// front.
  bool divisible;
  /// Holds many small blocks that are released one by one, in any order. Their handles are
  /// addresses, and the ledger may keep a link in a block's first 8 bytes.
  bool small_blocks;
  /// A `value` with '|' in it lists the values that there are.
  std::span<const plan::Parameter> parameters;
  Claim (*claim)(const Settings& settings);
  /// Error: why this machine cannot.
  Result<void> (*supported)(const Settings& settings);
  std::unique_ptr<Memory> (*make)(Content content, const Settings& settings);
};

/// The value that applies of a parameter of a kind.
std::string_view setting(const Settings& settings, const plan::Parameter& parameter);

/// A kind as it was asked for.
struct Choice {
  const Kind* kind;
  Settings settings;

  [[nodiscard]] Claim claim() const { return kind->claim(settings); }
  [[nodiscard]] Result<void> supported() const { return kind->supported(settings); }
  [[nodiscard]] std::unique_ptr<Memory> make(Content content) const {
    return kind->make(content, settings);
  }
};

/// The one table.
std::span<const Kind> kinds();

/// Error: unknown; it lists the known ones.
Result<const Kind*> find_kind(std::span<const Kind> kinds, std::string_view name);

/// "anon", "tmpfs:dir=/dev/shm" or, for the first parameter, "file:dirty". Error: unknown kind,
/// parameter or value; it lists the known ones.
Result<Choice> parse_kind(std::span<const Kind> kinds, std::string_view text);

}  // namespace oomdrill::memory
