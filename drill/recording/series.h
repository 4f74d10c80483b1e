#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace oomdrill::recording {

/// What is followed over time, in bytes.
enum class Kind : std::uint8_t {
  used,         ///< everything charged
  less_cache,   ///< the same less the page cache; shared memory stays in
  working_set,  ///< less inactive page cache alone, as the thresholds go by
  ecs_used,     ///< by the ECS agent's formula, as MemoryUtilization goes by
  anon,
  file,
  shmem,
  kernel,
  live  ///< what leaksim holds by its own ledger
};
constexpr std::size_t kKinds = 9;
/// "used", "less_cache", …
std::string_view name(Kind kind);

/// The values of one moment; NaN where one is absent.
using Values = std::array<double, kKinds>;
Values no_values();
std::optional<double> value(const Values& values, Kind kind);

/// Several samples in a row as one.
struct Bucket {
  /// NaN: none of its samples has it.
  struct Stat {
    float min;
    float max;
    float mean;
  };
  double first_s;
  double last_s;
  std::uint32_t samples;
  std::array<Stat, kKinds> stats;

  /// nullptr: none of its samples has it.
  [[nodiscard]] const Stat* stat(Kind kind) const;
  [[nodiscard]] double middle_s() const { return (first_s + last_s) / 2; }
};

/// A curve of any length in constant memory: when it is full, neighbours become one.
class Series {
 public:
  static constexpr std::size_t kMost = 512;

  /// `at_s` does not go back.
  void add(double at_s, const Values& values);
  [[nodiscard]] const std::vector<Bucket>& buckets() const { return buckets_; }
  [[nodiscard]] std::uint64_t samples() const { return samples_; }
  [[nodiscard]] double duration_s() const;
  /// The last value of a kind.
  [[nodiscard]] std::optional<double> last(Kind kind) const { return value(last_, kind); }
  [[nodiscard]] const Values& last() const { return last_; }

 private:
  std::vector<Bucket> buckets_;
  std::uint32_t each_ = 1;  ///< samples a bucket takes
  std::uint64_t samples_ = 0;
  Values last_ = no_values();
};

/// Percentiles of bytes in constant memory, within 0.8 % of the value.
class Histogram {
 public:
  void add(std::uint64_t bytes, std::uint64_t weight = 1);
  void add(const Histogram& other);
  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// `percent` in [0, 100]; nullopt of an empty one. The greatest value is exact.
  [[nodiscard]] std::optional<std::uint64_t> percentile(double percent) const;

 private:
  /// Eight bits of precision below the leading one, from 2^12 bytes up.
  static constexpr unsigned kBits = 7;
  static constexpr unsigned kLeast = 12;
  std::vector<std::uint32_t> bins_;
  std::uint64_t count_ = 0;
  std::uint64_t most_ = 0;
};

}  // namespace oomdrill::recording
