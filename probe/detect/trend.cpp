#include "detect/trend.h"

#include <algorithm>
#include <cmath>

namespace oomdrill::probe {

std::optional<Held> held(const Reading& reading) {
  const cgroup::Stat& stat = reading.sample.stat;
  if (!reading.has_sample || !stat.anon) return std::nullopt;
  return Held{*stat.anon, stat.shmem.value_or(0), stat.kernel.value_or(0)};
}

bool TrendWindow::push(Nanoseconds at, const Held& held) {
  if (size_ > 0 && at - point(size_ - 1).at < spacing_) return false;
  points_[next_] = {at, held};
  next_ = (next_ + 1) % kPoints;
  size_ = std::min(size_ + 1, kPoints);
  if (size_ >= kLeastPoints) trend_ = estimate();
  return true;
}

Trend TrendWindow::estimate() const {
  std::array<double, kPoints*(kPoints - 1) / 2> slopes;
  std::size_t pairs = 0;
  int concordant = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    const Point& from = point(i);
    const auto before = static_cast<double>(from.held.total());
    for (std::size_t k = i + 1; k < size_; ++k) {
      const Point& to = point(k);
      const double rise = static_cast<double>(to.held.total()) - before;
      slopes[pairs++] = rise / to_seconds(to.at - from.at);
      concordant += rise > 0 ? 1 : rise < 0 ? -1 : 0;
    }
  }
  const auto begin = slopes.begin();
  const auto end = begin + static_cast<std::ptrdiff_t>(pairs);
  const auto middle = begin + static_cast<std::ptrdiff_t>(pairs / 2);
  const auto lower = begin + static_cast<std::ptrdiff_t>(pairs / 4);
  const auto upper = begin + static_cast<std::ptrdiff_t>(pairs * 3 / 4);
  std::nth_element(begin, middle, end);
  std::nth_element(begin, lower, middle);
  std::nth_element(middle, upper, end);

  Trend trend;
  trend.bytes_per_s = *middle;
  trend.low = *lower;
  trend.high = *upper;
  const auto n = static_cast<double>(size_);
  trend.z = concordant / std::sqrt(n * (n - 1) * (2 * n + 5) / 18);
  trend.span = point(size_ - 1).at - point(0).at;
  trend.points = size_;

  const Held& first = point(0).held;
  const Held& last = point(size_ - 1).held;
  const auto rise = [](std::uint64_t a, std::uint64_t b) { return b > a ? b - a : 0; };
  const std::uint64_t anon = rise(first.anon, last.anon);
  const std::uint64_t shmem = rise(first.shmem, last.shmem);
  const std::uint64_t kernel = rise(first.kernel, last.kernel);
  trend.grows = anon >= shmem && anon >= kernel ? "anon" : shmem >= kernel ? "shmem" : "kernel";
  return trend;
}

}  // namespace oomdrill::probe
