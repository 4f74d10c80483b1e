#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/units.h"

/// Growth patterns as pure, seeded generators of steps in virtual time: no clock, no memory.
/// `leaksim` carries the steps out; `oomdrill predict` only adds them up.
namespace oomdrill::plan {

/// Allocate and write `bytes` in one block.
struct Grow {
  std::uint64_t bytes;
};
/// Release the oldest of what Grow made until `bytes` are gone. Groups are FreeMost's.
struct Shrink {
  std::uint64_t bytes;
};
/// Allocate and write `count` blocks of `block_bytes` each, remembered under `group`.
struct Allocate {
  std::uint64_t count;
  std::uint64_t block_bytes;
  std::uint32_t group;
};
/// Of the blocks of `group` in allocation order keep every `keep_every`-th, beginning with the
/// `offset`-th (counted from 0), and free the rest.
struct FreeMost {
  std::uint32_t group;
  std::uint64_t keep_every;
  std::uint64_t offset;
};
/// Free `count` of the blocks of `group`, or all where it has fewer: each the oldest, in allocation
/// order, of `sample` blocks drawn at random. An approximate least-recently-used cache evicts so.
struct FreeSampled {
  std::uint32_t group;
  std::uint64_t count;
  std::uint64_t sample;  ///< at least 1; then the age is of no account
  std::uint64_t seed;
};
using Action = std::variant<Grow, Shrink, Allocate, FreeMost, FreeSampled>;

struct Step {
  Nanoseconds due;  ///< since the start; never decreases
  Action action;
};

/// Bytes that an action allocates.
[[nodiscard]] std::uint64_t growth(const Action& action);

/// How many of `count` blocks FreeMost keeps.
constexpr std::uint64_t kept(std::uint64_t count, const FreeMost& rule) {
  return count > rule.offset ? (count - rule.offset - 1) / rule.keep_every + 1 : 0;
}

/// The positions, in allocation order, that FreeSampled frees out of `total` blocks: they ascend,
/// so that one walk along the group finds them all, and nothing is remembered.
class SampledPositions {
 public:
  SampledPositions(const FreeSampled& rule, std::uint64_t total);
  /// nullopt after the last one.
  std::optional<std::uint64_t> next();

 private:
  std::uint64_t total_;
  std::uint64_t count_;
  double exponent_;
  std::uint64_t random_;
  std::uint64_t drawn_ = 0;
  std::uint64_t least_ = 0;  ///< the next position at the earliest
};

/// What a plan's steps add up to: the curve of the plan.
class Totals {
 public:
  void apply(const Step& step);
  [[nodiscard]] std::uint64_t live() const { return live_; }
  /// What was ever allocated.
  [[nodiscard]] std::uint64_t allocated() const { return allocated_; }

 private:
  struct Group {
    std::uint64_t count, block_bytes;
  };
  std::map<std::uint32_t, Group> groups_;
  std::uint64_t live_ = 0;
  std::uint64_t grown_ = 0;  ///< the part of live_ that Shrink may take
  std::uint64_t allocated_ = 0;
};

class Plan {
 public:
  virtual ~Plan() = default;
  /// The next step; nullopt when the plan has ended. Deterministic for equal settings.
  virtual std::optional<Step> next() = 0;
  /// Bytes a second that the plan allocates in the long run; infinite where its steps are all due
  /// at once; nullopt where the pattern has no such number.
  [[nodiscard]] virtual std::optional<double> nominal_rate() const = 0;
};

/// One parameter of a pattern, set by `--rate` or `--pattern linear:rate=1MB/s`.
struct Parameter {
  std::string_view name;
  std::string_view value;          ///< placeholder, "SIZE"
  std::string_view default_value;  ///< empty: it has to be given
  std::string_view help;
};

/// Parameter values as text, checked by the pattern's own make().
using Settings = std::map<std::string, std::string, std::less<>>;

struct Pattern {
  std::string_view name;
  std::string_view help;  ///< one sentence
  std::span<const Parameter> parameters;
  /// It frees single blocks of a group, so it needs memory that can do that (the heap).
  bool needs_blocks;
  /// It ends by itself, so that another may follow without `for`.
  bool ends;
  /// Error: a value that does not parse or makes no sense; `where` names the parameter.
  Result<std::unique_ptr<Plan>> (*make)(const Settings& settings, std::uint64_t seed);
};

/// The one table.
std::span<const Pattern> patterns();

/// Every pattern takes this one too.
constexpr Parameter kFor = {"for", "TIME", "", "ends the growth after this long"};

/// One pattern, with its settings checked as far as names go.
struct Choice {
  const Pattern* pattern;
  Settings settings;
  std::optional<Nanoseconds> length = {};  ///< of `for`
};

/// "linear" or "burst:size=64MiB,interval=10s", or several in sequence with ';' between them:
/// "linear:for=1m;hold:for=30s;burst". Error: an unknown pattern or parameter; it lists the known
/// ones.
Result<std::vector<Choice>> parse_pattern(std::string_view text);

/// Whether one of them takes `parameter` and does not set it.
bool takes(std::span<const Choice> phases, std::string_view parameter);

/// `text` with `defaults` written into each of its patterns that takes them and does not set them:
/// a text that says all. Wrong ones stay as they are.
std::string spell_out(std::string_view text, const Settings& defaults);

/// The plan of `text`; settings given in `defaults` (from flags such as --rate) apply where a
/// pattern has the parameter and the text does not set it. Error: what parse_pattern() refuses, a
/// value that makes no sense, or a phase that would never end before the next.
Result<std::unique_ptr<Plan>> make_plan(std::string_view text, const Settings& defaults,
                                        std::uint64_t seed);

/// The patterns with their parameters, as --list-patterns prints them.
std::string list_patterns();

}  // namespace oomdrill::plan
