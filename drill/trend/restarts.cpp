#include "trend/restarts.h"

#include <algorithm>

#include "trend/theil_sen.h"

namespace oomdrill::trend {

Restarts restarts_of(const std::vector<recording::Run>& runs) {
  Restarts result{.runs = runs.size()};
  std::vector<double> lives;
  for (const recording::Run& run : runs) {
    if (run.killed()) {
      ++result.killed;
      lives.push_back(run.duration_s());
    } else if (run.account.exited) {
      ++result.other;
    }
  }
  if (lives.empty()) return result;
  result.shortest_s = *std::min_element(lives.begin(), lives.end());
  result.longest_s = *std::max_element(lives.begin(), lives.end());
  if (lives.size() >= 3) {
    auto sorted = lives;
    std::sort(sorted.begin(), sorted.end());
    const double low = sorted[sorted.size() / 4];
    const double high = sorted[sorted.size() * 3 / 4];
    result.regular = high <= 1.2 * low;
  }
  result.median_life_s = median(lives);
  return result;
}

std::vector<Week> weeks_of(const recording::Runs& runs) {
  std::vector<Week> weeks;
  for (const auto& [begin, week] : runs.weeks()) {
    const auto middle = week.working_set.percentile(50);
    if (!middle) continue;
    std::optional<double> change;
    if (!weeks.empty() && weeks.back().median_bytes > 0) {
      change =
          100 * (static_cast<double>(*middle) / static_cast<double>(weeks.back().median_bytes) - 1);
    }
    weeks.push_back({.begin_s = begin,
                     .samples = week.working_set.count(),
                     .median_bytes = *middle,
                     .p99_bytes = *week.working_set.percentile(99),
                     .peak_bytes = *week.working_set.percentile(100),
                     .kills = week.kills,
                     .change_percent = change});
  }
  return weeks;
}

}  // namespace oomdrill::trend
