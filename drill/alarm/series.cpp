#include "alarm/series.h"

#include <algorithm>
#include <cmath>

namespace oomdrill::alarm {
namespace {

std::int64_t floor_to(std::int64_t at, std::int64_t step) {
  const std::int64_t rest = at % step;
  return at - (rest < 0 ? rest + step : rest);
}

}  // namespace

void Sum::add(const Sum& other) {
  if (other.count == 0) return;
  least = count == 0 ? other.least : std::min(least, other.least);
  most = count == 0 ? other.most : std::max(most, other.most);
  sum += other.sum;
  count += other.count;
}

void Series::add(Instant at, double value) { add(at, Sum{value, value, value, 1}); }

void Series::add(Instant at, const Sum& set) {
  if (set.count == 0 || !std::isfinite(set.sum)) return;
  const std::int64_t second = at.time_since_epoch().count();
  if (keeps_values_) {
    values_.push_back({second, set.sum / static_cast<double>(set.count)});
    values_sorted_ = false;
  }
  const std::int64_t start = floor_to(second, step_);
  if (sets_.empty() || sets_.back().at < start) {
    sets_.push_back({start, set});
    if (sets_.size() > kMostSets) coarsen();
    return;
  }
  const auto place =
      std::lower_bound(sets_.begin(), sets_.end(), start,
                       [](const Set& each, std::int64_t wanted) { return each.at < wanted; });
  if (place->at == start) {
    place->sum.add(set);
  } else {
    sets_.insert(place, {start, set});
  }
}

void Series::coarsen() {
  // Longer sets than a minute would hide what an alarm sees.
  if (step_ >= 60) return;
  step_ = step_ == 1 ? 10 : 60;
  std::size_t kept = 0;
  for (const Set& set : sets_) {
    const std::int64_t start = floor_to(set.at, step_);
    if (kept > 0 && sets_[kept - 1].at == start) {
      sets_[kept - 1].sum.add(set.sum);
    } else {
      sets_[kept++] = {start, set.sum};
    }
  }
  sets_.resize(kept);
}

std::optional<Sum> Series::sum(Instant from, seconds length) const {
  const std::int64_t begin = from.time_since_epoch().count();
  const std::int64_t end = begin + length.count();
  Sum total;
  for (auto it =
           std::lower_bound(sets_.begin(), sets_.end(), begin,
                            [](const Set&each, std::int64_t wanted) { return each.at < wanted; });
       it != sets_.end() && it->at < end; ++it) {
    total.add(it->sum);
  }
  if (total.count == 0) return std::nullopt;
  return total;
}

std::optional<double> Series::percentile(double percent, Instant from, seconds length) const {
  if (!values_sorted_) {
    std::stable_sort(values_.begin(), values_.end(),
                     [](const Value& a, const Value& b) { return a.at < b.at; });
    values_sorted_ = true;
  }
  const std::int64_t begin = from.time_since_epoch().count();
  const std::int64_t end = begin + length.count();
  std::vector<double> found;
  for (auto it =
           std::lower_bound(values_.begin(), values_.end(), begin,
                            [](const Value&each, std::int64_t wanted) { return each.at < wanted; });
       it != values_.end() && it->at < end; ++it) {
    found.push_back(it->value);
  }
  if (found.empty()) return std::nullopt;
  // The nearest rank.
  const double rank = std::ceil(percent / 100 * static_cast<double>(found.size()));
  const auto index = static_cast<std::size_t>(std::max(1.0, rank)) - 1;
  std::nth_element(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(index), found.end());
  return found[index];
}

std::optional<double> Series::value(const Statistic& statistic, Instant from,
                                    seconds length) const {
  if (statistic.kind == Statistic::Kind::percentile) {
    return percentile(statistic.percentile, from, length);
  }
  const auto total = sum(from, length);
  if (!total) return std::nullopt;
  switch (statistic.kind) {
    case Statistic::Kind::average:
      return total->sum / static_cast<double>(total->count);
    case Statistic::Kind::maximum:
      return total->most;
    case Statistic::Kind::minimum:
      return total->least;
    case Statistic::Kind::sum:
      return total->sum;
    case Statistic::Kind::sample_count:
      return static_cast<double>(total->count);
    case Statistic::Kind::percentile:
      break;
  }
  return std::nullopt;
}

}  // namespace oomdrill::alarm
