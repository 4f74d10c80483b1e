#include "trend/classify.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "base/units.h"
#include "run/summary.h"

namespace oomdrill::trend {
namespace {

using recording::Bucket;
using recording::Kind;
using recording::Run;
using run::plural;

/// A part of a run's curve between two OOM kills, or all of it.
struct Stretch {
  const Run& run;
  std::span<const Bucket> buckets;
  bool killed;  ///< it ends with a kill
};

constexpr std::size_t kLeastPoints = 8;
/// What is less than this, or less than this part of what is used at most, is no growth.
constexpr double kLeastBytes = 256 << 10;
constexpr double kLeastPart = 0.01;
/// The kernel's own notes of page cache (buffer heads, nodes of its trees) go with it: 2.8 % of it,
/// measured on ext4. What is less than this part of the cache's growth is no growth.
constexpr double kCacheNotes = 0.05;
/// A turn of the curve counts from this part of its range on.
constexpr double kTurn = 0.08;
/// Growth that loses more than this part of what it gained is no steady one.
constexpr double kMostLost = 0.3;
/// A rise whose pace falls below this part of its mean is coming to rest.
constexpr double kSettled = 0.25;
/// Steps: so much of the rise in so few of the points.
constexpr double kStepPart = 0.8;
constexpr double kStepPoints = 0.2;
/// Of all pairs of a floor's minima, the part whose later one is higher.
constexpr double kLifted = 0.85;
/// Fragmentation: resident beyond what is in use, of the greatest; and resident at last, of it.
constexpr double kGap = 0.25;
constexpr double kStays = 0.8;

constexpr std::array<std::string_view, kPatterns> kNames = {
    "too_short", "plateau", "page_cache", "steady", "burst", "sawtooth", "fragmentation"};
constexpr std::array<std::string_view, kPatterns> kWords = {
    "too short to tell",
    "plateau, no leak",
    "page cache only, no leak",
    "steady leak",
    "leak in bursts",
    "sawtooth with a rising floor",
    "fragmentation: memory stays resident while less of it is in use"};

enum class Of { mean, least, most };

std::vector<Point> points_of(const Stretch& stretch, Kind kind, Of what,
                             std::size_t most = kMostPoints) {
  const auto& buckets = stretch.buckets;
  const std::size_t each = (buckets.size() + most - 1) / std::max<std::size_t>(most, 1);
  std::vector<Point> points;
  for (std::size_t i = 0; i < buckets.size(); i += each) {
    const std::size_t end = std::min(buckets.size(), i + each);
    double sum = 0;
    double least = HUGE_VAL;
    double greatest = 0;
    std::uint64_t count = 0;
    for (std::size_t k = i; k < end; ++k) {
      const Bucket::Stat* stat = buckets[k].stat(kind);
      if (stat == nullptr) continue;
      sum += static_cast<double>(stat->mean) * buckets[k].samples;
      count += buckets[k].samples;
      least = std::min(least, static_cast<double>(stat->min));
      greatest = std::max(greatest, static_cast<double>(stat->max));
    }
    if (count == 0) continue;
    const double value = what == Of::mean    ? sum / static_cast<double>(count)
                         : what == Of::least ? least
                                             : greatest;
    points.push_back({(buckets[i].first_s + buckets[end - 1].last_s) / 2, value});
  }
  return points;
}

/// The part of `points` from this part of their time on.
std::vector<Point> tail(const std::vector<Point>& points, double from) {
  const double begin = points.front().at_s;
  const double cut = begin + from * (points.back().at_s - begin);
  std::vector<Point> rest;
  for (const Point& point : points) {
    if (point.at_s >= cut) rest.push_back(point);
  }
  return rest;
}

/// Where a curve turns by `least` or more: its local minima, and what it rose and fell in all.
struct Turns {
  std::vector<Point> minima;
  double risen = 0;
  double fallen = 0;
  std::size_t falls = 0;
};

Turns turns_of(const std::vector<Point>& points, double least) {
  Turns turns;
  Point low = points.front();
  Point high = points.front();
  Point extreme = points.front();  // the last turn
  int direction = 0;
  const auto end_rise = [&] { turns.risen += high.value - extreme.value; };
  const auto end_fall = [&] {
    turns.fallen += extreme.value - low.value;
    ++turns.falls;
  };
  for (const Point& point : points) {
    if (point.value < low.value) low = point;
    if (point.value > high.value) high = point;
    if (direction >= 0 && high.value - point.value >= least) {
      if (direction > 0) end_rise();
      if (direction == 0) turns.risen += high.value - points.front().value;
      extreme = high;
      low = point;
      direction = -1;
    } else if (direction <= 0 && point.value - low.value >= least) {
      if (direction < 0) {
        end_fall();
        turns.minima.push_back(low);
      }
      extreme = low;
      high = point;
      direction = 1;
    }
    if (direction > 0 && point.value >= high.value) high = point;
    if (direction < 0 && point.value <= low.value) low = point;
  }
  if (direction > 0) end_rise();
  if (direction < 0) end_fall();
  return turns;
}

/// Of a rise: in how many points its steps lie, and how much of it they are.
struct Steps {
  std::size_t count = 0;
  double part = 0;
};

Steps steps_of(const std::vector<Point>& points) {
  std::vector<double> rises;
  double risen = 0;
  for (std::size_t i = 1; i < points.size(); ++i) {
    const double rise = points[i].value - points[i - 1].value;
    if (rise > 0) {
      rises.push_back(rise);
      risen += rise;
    }
  }
  if (risen <= 0) return {};
  std::sort(rises.begin(), rises.end(), std::greater<>());
  // A step is no single point among many alike: it is far above the greatest of the rest.
  Steps steps;
  const auto most =
      static_cast<std::size_t>(std::floor(kStepPoints * static_cast<double>(points.size() - 1)));
  double sum = 0;
  for (std::size_t i = 0; i < std::min(most, rises.size()); ++i) {
    sum += rises[i];
    if (rises[i] < 0.1 * rises.front()) break;
    steps = {i + 1, sum / risen};
  }
  return steps;
}

/// Nearly every minimum of a floor is above those before it: noise has an interval that rises, too,
/// in one curve of forty.
bool is_lifted(const std::vector<Point>& floor) {
  std::size_t pairs = 0;
  std::size_t up = 0;
  for (std::size_t i = 0; i < floor.size(); ++i) {
    for (std::size_t k = i + 1; k < floor.size(); ++k) {
      ++pairs;
      if (floor[k].value > floor[i].value) ++up;
    }
  }
  return static_cast<double>(up) >= kLifted * static_cast<double>(pairs);
}

std::string bytes(double value) {
  return format_bytes(static_cast<std::uint64_t>(std::max(0.0, value)));
}

std::uint64_t samples_of(const Stretch& stretch) {
  std::uint64_t samples = 0;
  for (const Bucket& bucket : stretch.buckets) samples += bucket.samples;
  return samples;
}

double last_of(const std::vector<Point>& points) { return points.back().value; }

Trend::Interval interval(double room, const Slope& pace) {
  Trend::Interval result{room / pace.per_s, room / std::max(pace.high, pace.per_s), std::nullopt};
  if (pace.low > 0) result.late_s = room / pace.low;
  return result;
}

double cache_range(const Stretch& stretch) {
  const auto points = points_of(stretch, Kind::file, Of::mean);
  if (points.empty()) return 0;
  const auto [low, high] =
      std::minmax_element(points.begin(), points.end(),
                          [](const Point& a, const Point& b) { return a.value < b.value; });
  return high->value - low->value;
}

void add_kinds(const Stretch& stretch, Trend& trend) {
  for (const Kind kind : {Kind::less_cache, Kind::used, Kind::anon, Kind::file, Kind::shmem,
                          Kind::kernel, Kind::live}) {
    const auto points = points_of(stretch, kind, Of::mean);
    const auto slope = theil_sen(points);
    if (!slope) continue;
    trend.kinds.push_back({kind, *slope, points.front().value, last_of(points)});
  }
}

std::optional<Kind> grows_most(const Trend& trend) {
  const Trend::OfKind* best = nullptr;
  for (const Trend::OfKind& each : trend.kinds) {
    if (each.kind != Kind::anon && each.kind != Kind::shmem && each.kind != Kind::kernel) continue;
    const double grown = each.last - each.first;
    if (grown > 0 && (best == nullptr || grown > best->last - best->first)) best = &each;
  }
  if (best == nullptr) return std::nullopt;
  return best->kind;
}

/// Of the point that is nearest to that time.
double value_at(const std::vector<Point>& points, double at) {
  const auto nearest =
      std::min_element(points.begin(), points.end(), [at](const Point& a, const Point& b) {
        return std::abs(a.at_s - at) < std::abs(b.at_s - at);
      });
  return nearest->value;
}

/// What is resident beyond what is in use grows, and is a good part of it at last.
bool is_fragmented(const Stretch& stretch, const std::vector<Point>& resident, double least,
                   std::string& why) {
  const auto live = points_of(stretch, Kind::live, Of::mean);
  if (live.size() < kLeastPoints) return false;
  double greatest = 0;
  for (const Point& point : resident) greatest = std::max(greatest, point.value);
  // The ledger is told more rarely than the usage: each gap is one moment's.
  const double gap_first = value_at(resident, live.front().at_s) - live.front().value;
  const double gap_last = value_at(resident, live.back().at_s) - last_of(live);
  const bool stays = last_of(resident) > kStays * greatest;
  if (!stays || gap_last - gap_first < std::max(kGap * greatest, least)) return false;
  why = fmt::format("{} are resident of which {} are in use; {} more than at first are not",
                    bytes(last_of(resident)), bytes(last_of(live)), bytes(gap_last - gap_first));
  return true;
}

Trend judge(const Stretch& stretch) {
  const Run& run = stretch.run;
  Trend trend;
  add_kinds(stretch, trend);
  const auto mean = points_of(stretch, Kind::less_cache, Of::mean);
  const auto whole = mean.empty() ? std::nullopt : theil_sen(mean);
  if (mean.size() < kLeastPoints || !whole) {
    trend.why = too_few(samples_of(stretch), kLeastPoints);
    return trend;
  }
  const auto lows = points_of(stretch, Kind::less_cache, Of::least);
  const auto highs = points_of(stretch, Kind::less_cache, Of::most);
  double least_value = HUGE_VAL;
  double greatest = 0;
  for (const Point& point : lows) least_value = std::min(least_value, point.value);
  for (const Point& point : highs) greatest = std::max(greatest, point.value);
  const double range = greatest - least_value;
  const double least =
      std::max({kLeastBytes, kLeastPart * greatest, kCacheNotes * cache_range(stretch)});
  const double limit = static_cast<double>(run.limit_bytes.value_or(0));
  const double room = limit - last_of(highs);
  const auto forecast = [&](const Slope& pace) {
    trend.pace = pace;
    trend.grows = grows_most(trend);
    if (limit > 0 && room > 0 && pace.per_s > 0 && !stretch.killed && !run.account.exited) {
      trend.to_oom = interval(room, pace);
    }
  };

  const auto no_leak = [&](std::string why) {
    const auto used = points_of(stretch, Kind::used, Of::mean);
    const auto file = points_of(stretch, Kind::file, Of::mean);
    const double cache = file.empty() ? 0 : last_of(file) - file.front().value;
    const double grown = used.empty() ? 0 : last_of(used) - used.front().value;
    if (cache > std::max(least, 0.1 * last_of(used)) && cache > 0.5 * grown && grown > 0) {
      trend.pattern = Pattern::page_cache;
      trend.why =
          fmt::format("usage grew by {}, of which {} are page cache: the kernel takes it back",
                      bytes(grown), bytes(std::min(cache, grown)));
    } else {
      trend.pattern = Pattern::plateau;
      trend.why = std::move(why);
    }
    return trend;
  };

  if (std::string why; is_fragmented(stretch, mean, least, why)) {
    trend.pattern = Pattern::fragmentation;
    trend.why = why;
    forecast(*whole);
    return trend;
  }
  if (range < least) {
    return no_leak(fmt::format("without page cache it moves within {}", bytes(range)));
  }

  // Rises and falls, each a part of the range: a tooth, a garbage collection, a compiler.
  const auto turns = turns_of(mean, std::max(least / 2, kTurn * range));
  if (turns.fallen > kMostLost * turns.risen && turns.falls > 0) {
    auto floor = turns.minima;
    // Before its first fall it may have been filling: the floor begins with it.
    const auto slope = theil_sen(floor);
    const double risen = floor.empty() ? 0 : floor.back().value - floor.front().value;
    if (slope && slope->rises() && is_lifted(floor) && risen > std::max(least, kTurn * range)) {
      trend.pattern = Pattern::sawtooth;
      trend.why =
          fmt::format("it falls {}, and its floor rises from {} to {}", plural(turns.falls, "time"),
                      bytes(floor.front().value), bytes(floor.back().value));
      forecast(*slope);
      return trend;
    }
    return no_leak(floor.size() < 2
                       ? fmt::format("it rose to {} and fell", bytes(greatest))
                       : fmt::format("it falls {}, and its floor does not rise: {} first, {} last",
                                     plural(turns.falls, "time"), bytes(floor.front().value),
                                     bytes(floor.back().value)));
  }

  const double grown = last_of(mean) - mean.front().value;
  const auto half = tail(mean, 0.5);
  const auto steps = steps_of(mean);
  if (steps.count > 0 && steps.part >= kStepPart && grown > least) {
    // One step and then rest is a start; a step that killed, or a staircase, is not.
    if (steps.count >= 3 && last_of(half) - half.front().value > kTurn * range) {
      trend.pattern = Pattern::burst;
      trend.why = fmt::format("{:.0f} % of its rise of {} came in {}", 100 * steps.part,
                              bytes(grown), plural(steps.count, "step"));
      forecast(*whole);
      return trend;
    }
    // The step that kills may be over within one look: then the ones before tell.
    if (stretch.killed &&
        (steps.count >= 2 ||
         last_of(mean) - mean[mean.size() - std::min<std::size_t>(3, mean.size())].value >
             kTurn * range)) {
      trend.pattern = Pattern::burst;
      trend.why = fmt::format("{:.0f} % of its rise of {} came in {}, the last of which killed",
                              100 * steps.part, bytes(grown), plural(steps.count, "step"));
      forecast(*whole);
      return trend;
    }
  }
  const auto half_slope = theil_sen(half);
  const auto quarter_slope = theil_sen(tail(mean, 0.75));
  const double half_time = half.back().at_s - half.front().at_s;
  // Of the whole rise, not of the slopes' median: a rise that has ended makes that small, too.
  const double pace = grown / std::max(1e-9, mean.back().at_s - mean.front().at_s);
  const bool goes_on = half_slope && half_slope->rises() && half_slope->per_s * half_time > least &&
                       (!quarter_slope || quarter_slope->per_s > kSettled * pace);
  if (!goes_on || !whole->rises()) {
    return no_leak(fmt::format("without page cache it rose from {} and came to rest at {}",
                               bytes(mean.front().value), bytes(last_of(mean))));
  }
  trend.pattern = Pattern::steady;
  trend.why = fmt::format("without page cache it rose from {} to {}, and still did at the end",
                          bytes(mean.front().value), bytes(last_of(mean)));
  forecast(*half_slope);
  return trend;
}

/// Between its kills. A bucket that holds samples of both sides of one belongs to neither.
std::vector<Stretch> stretches_of(const Run& run) {
  const std::span<const Bucket> buckets = run.series.buckets();
  std::vector<Stretch> stretches;
  std::size_t begin = 0;
  for (const double cut : run.cuts_s) {
    std::size_t end = begin;
    while (end < buckets.size() && buckets[end].last_s <= cut) ++end;
    if (end > begin) stretches.push_back({run, buckets.subspan(begin, end - begin), true});
    begin = end;
    if (begin < buckets.size() && buckets[begin].first_s <= cut) ++begin;
  }
  if (begin < buckets.size() || stretches.empty()) {
    stretches.push_back({run, buckets.subspan(begin), run.killed()});
  }
  return stretches;
}

}  // namespace

std::string_view name(Pattern pattern) { return kNames[static_cast<std::size_t>(pattern)]; }
std::string_view words(Pattern pattern) { return kWords[static_cast<std::size_t>(pattern)]; }

std::string too_few(std::uint64_t samples, std::uint64_t needed) {
  return fmt::format("{} {} too few: {} are needed", plural(samples, "sample"),
                     samples == 1 ? "is" : "are", needed);
}

Trend classify(const Run& run) {
  const auto stretches = stretches_of(run);
  if (stretches.size() == 1) return judge(stretches.front());
  // What fell with a kill was not given back: each kill ends what grew up to it, and one after the
  // other is judged. The first that leaks tells for all (but what grows now is to be told when it
  // meets the limit), or else what was seen for longest.
  std::optional<Trend> leak;
  std::optional<Trend> longest;
  std::size_t samples = 0;
  std::size_t known = 0;
  std::size_t leaks = 0;
  bool grows_now = false;
  for (const Stretch& stretch : stretches) {
    Trend trend = judge(stretch);
    if (trend.pattern == Pattern::too_short) continue;
    if (stretch.killed) ++known;
    if (stretch.killed && trend.leaks()) ++leaks;
    if (!stretch.killed && trend.leaks()) grows_now = true;
    if (trend.leaks() && (!leak || trend.to_oom)) leak = trend;
    if (samples_of(stretch) > samples) {
      samples = samples_of(stretch);
      longest = std::move(trend);
    }
  }
  const std::string kills = plural(run.account.kills_total, "OOM kill");
  if (!longest) {
    Trend trend;
    trend.why = fmt::format("{} leave no {} samples in a row", kills, kLeastPoints);
    return trend;
  }
  // One victim among many may have been small.
  if (!leak || (2 * leaks < known && !grows_now)) return *longest;
  leak->why = fmt::format("{}, and it {}: {}", kills,
                          leaks == 0                 ? "grows since"
                          : leaks == 1 && known == 1 ? "grew up to it"
                          : leaks == known           ? "grew up to each"
                                                     : fmt::format("grew up to {} of them", leaks),
                          leak->why);
  return *leak;
}

}  // namespace oomdrill::trend
