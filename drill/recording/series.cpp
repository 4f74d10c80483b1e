#include "recording/series.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace oomdrill::recording {
namespace {

constexpr std::array<std::string_view, kKinds> kNames = {
    "used", "less_cache", "working_set", "ecs_used", "anon", "file", "shmem", "kernel", "live"};

constexpr Bucket::Stat kNothing = {NAN, NAN, NAN};

/// `weight` and `more` are the samples of either.
void merge(Bucket::Stat& stat, std::uint32_t weight, const Bucket::Stat& other,
           std::uint32_t more) {
  if (std::isnan(other.mean)) return;
  if (std::isnan(stat.mean)) {
    stat = other;
    return;
  }
  stat.min = std::min(stat.min, other.min);
  stat.max = std::max(stat.max, other.max);
  // In double: a slow leak is small beside what it adds to.
  const double part = static_cast<double>(more) / (static_cast<double>(weight) + more);
  stat.mean =
      static_cast<float>(static_cast<double>(stat.mean) +
                         (static_cast<double>(other.mean) - static_cast<double>(stat.mean)) * part);
}

void merge(Bucket& into, const Bucket& next) {
  for (std::size_t i = 0; i < kKinds; ++i) {
    merge(into.stats[i], into.samples, next.stats[i], next.samples);
  }
  into.last_s = next.last_s;
  into.samples += next.samples;
}

}  // namespace

std::string_view name(Kind kind) { return kNames[static_cast<std::size_t>(kind)]; }

Values no_values() {
  Values values;
  values.fill(std::numeric_limits<double>::quiet_NaN());
  return values;
}

std::optional<double> value(const Values& values, Kind kind) {
  const double found = values[static_cast<std::size_t>(kind)];
  if (std::isnan(found)) return std::nullopt;
  return found;
}

const Bucket::Stat* Bucket::stat(Kind kind) const {
  const Stat& found = stats[static_cast<std::size_t>(kind)];
  return std::isnan(found.mean) ? nullptr : &found;
}

void Series::add(double at_s, const Values& values) {
  if (buckets_.empty() || buckets_.back().samples >= each_) {
    if (buckets_.size() == kMost) {
      for (std::size_t i = 0; i < kMost / 2; ++i) {
        Bucket pair = buckets_[2 * i];
        merge(pair, buckets_[2 * i + 1]);
        buckets_[i] = pair;
      }
      buckets_.resize(kMost / 2);
      each_ *= 2;
    }
    buckets_.push_back({at_s, at_s, 0, {}});
    buckets_.back().stats.fill(kNothing);
  }
  Bucket& bucket = buckets_.back();
  for (std::size_t i = 0; i < kKinds; ++i) {
    if (std::isnan(values[i])) continue;
    const auto value = static_cast<float>(values[i]);
    merge(bucket.stats[i], bucket.samples, {value, value, value}, 1);
    last_[i] = values[i];
  }
  bucket.last_s = at_s;
  ++bucket.samples;
  ++samples_;
}

double Series::duration_s() const {
  return buckets_.empty() ? 0 : buckets_.back().last_s - buckets_.front().first_s;
}

void Histogram::add(std::uint64_t bytes, std::uint64_t weight) {
  if (bins_.empty()) bins_.resize((64 - kLeast) << kBits);
  const std::uint64_t value = std::max(bytes, std::uint64_t{1} << kLeast);
  const auto exponent = static_cast<unsigned>(std::bit_width(value)) - 1;
  const std::uint64_t fraction = (value >> (exponent - kBits)) & ((1U << kBits) - 1);
  std::uint32_t& bin = bins_[((exponent - kLeast) << kBits) + fraction];
  bin = static_cast<std::uint32_t>(std::min<std::uint64_t>(bin + weight, UINT32_MAX));
  count_ += weight;
  most_ = std::max(most_, bytes);
}

void Histogram::add(const Histogram& other) {
  if (other.count_ == 0) return;
  if (bins_.empty()) bins_.resize(other.bins_.size());
  for (std::size_t i = 0; i < bins_.size(); ++i) bins_[i] += other.bins_[i];
  count_ += other.count_;
  most_ = std::max(most_, other.most_);
}

std::optional<std::uint64_t> Histogram::percentile(double percent) const {
  if (count_ == 0) return std::nullopt;
  const auto rank = std::max(1.0, std::ceil(percent / 100 * static_cast<double>(count_)));
  double seen = 0;
  for (std::size_t i = 0; i < bins_.size(); ++i) {
    seen += bins_[i];
    if (seen < rank) continue;
    const auto exponent = static_cast<unsigned>(i >> kBits) + kLeast;
    const std::uint64_t fraction = i & ((1U << kBits) - 1);
    // The upper edge: a percentile is never told too small.
    const std::uint64_t edge = ((std::uint64_t{1} << kBits) + fraction + 1) << (exponent - kBits);
    return std::min(edge - 1, most_);
  }
  return most_;
}

}  // namespace oomdrill::recording
