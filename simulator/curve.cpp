#include "curve.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "plan/plan.h"

namespace oomdrill::simulator {
namespace {

/// A plan that stays below the limit may have no end; this many steps take about a second.
constexpr std::uint64_t kMostSteps = 10'000'000;
/// Nor does one that has not risen above its peak for so many: a cache that is full.
constexpr std::uint64_t kMostLevelSteps = 500'000;
constexpr std::size_t kRows = 10;
constexpr std::size_t kMargin = 12;  ///< for the sizes on the left
constexpr std::size_t kLeastColumns = 10;

std::string right(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

/// The most that is held in each of `columns` equal parts of the time.
Result<std::vector<std::uint64_t>> sample(const CurveRequest& request, Nanoseconds end,
                                          std::size_t columns) {
  std::vector<std::uint64_t> most(columns, 0);
  std::size_t column = 0;
  std::uint64_t live = 0;
  const double width = static_cast<double>(std::max<std::int64_t>(1, end.count()));
  const auto level_until = [&](std::size_t to) {
    for (; column < to; ++column) {
      most[column] = std::max(most[column], live);
      if (column + 1 < columns) most[column + 1] = live;
    }
    most[column] = std::max(most[column], live);
  };
  auto status = trace_curve(request, [&](Nanoseconds at, std::uint64_t bytes) {
    const double part = static_cast<double>(at.count()) / width;
    const auto to = static_cast<std::size_t>(part * static_cast<double>(columns));
    level_until(std::min(to, columns - 1));
    live = bytes;
    most[column] = std::max(most[column], live);
  });
  if (!status) return fail(status.error());
  level_until(columns - 1);
  return most;
}

}  // namespace

Result<CurveEnd> trace_curve(const CurveRequest& request, const OnStep& on_step) {
  auto plan = plan::make_plan(request.pattern, {}, request.seed);
  if (!plan) return fail(plan.error());
  if (std::isinf((*plan)->nominal_rate().value_or(0))) {
    return fail("rate max has no timetable, so there is no curve", {},
                "give a rate, such as 100MB/s");
  }
  using Reason = CurveEnd::Reason;
  plan::Totals totals;
  CurveEnd end;
  const auto ended = [&end](Reason reason) {
    end.reason = reason;
    return end;
  };
  std::uint64_t risen = 0;
  for (std::uint64_t steps = 0; steps < kMostSteps && steps - risen < kMostLevelSteps; ++steps) {
    auto step = (*plan)->next();
    if (!step) return ended(Reason::plan_ended);
    if (step->due > request.horizon) {
      end.at = request.horizon;
      break;
    }
    // As the ledger cuts the last step.
    if (request.max_bytes && totals.live() + plan::growth(step->action) > *request.max_bytes) {
      const std::uint64_t room = *request.max_bytes - std::min(*request.max_bytes, totals.live());
      if (auto* grow = std::get_if<plan::Grow>(&step->action)) grow->bytes = room;
      if (auto* allocate = std::get_if<plan::Allocate>(&step->action)) {
        allocate->count = room / allocate->block_bytes;
      }
      totals.apply(*step);
      end = {Reason::max_bytes, step->due, totals.live(), std::max(end.peak, totals.live())};
      if (on_step) on_step(end.at, end.live);
    } else {
      totals.apply(*step);
      if (totals.live() > end.peak) risen = steps;
      end = {Reason::horizon, step->due, totals.live(), std::max(end.peak, totals.live())};
      if (on_step) on_step(end.at, end.live);
      if (request.limit && end.live > *request.limit) return ended(Reason::limit);
      if (!request.until || end.live < *request.until) continue;
      end.reason = Reason::until;
    }
    if (!request.hold) return end;
    end.at = request.horizon;
    return end;
  }
  return ended(Reason::horizon);
}

Result<std::string> plot_curve(const CurveRequest& request, const CurveEnd& end,
                               std::size_t width) {
  static constexpr std::array<std::string_view, 9> kLevels = {" ", "▁", "▂", "▃", "▄",
                                                              "▅", "▆", "▇", "█"};
  const std::size_t columns = std::max(kLeastColumns, width - std::min(width, kMargin + 1));
  const auto most = sample(request, end.at, columns);
  if (!most) return fail(most.error());
  const std::uint64_t top = std::max({end.peak, request.limit.value_or(0), std::uint64_t{1}});
  const auto height = [top](std::uint64_t bytes) {
    const double levels = static_cast<double>(bytes) / static_cast<double>(top) * kRows * 8;
    return static_cast<std::size_t>(std::llround(levels));
  };
  // The line lies in the cell whose top the limit is.
  const std::size_t limit_row =
      request.limit ? std::max<std::size_t>(1, (height(*request.limit) + 7) / 8) : 0;
  std::string text;
  for (std::size_t row = kRows; row > 0; --row) {
    std::string label;
    if (row == limit_row) {
      label = format_bytes(*request.limit);
    } else if (row == kRows) {
      label = format_bytes(top);
    } else if (row == kRows / 2 && limit_row != row + 1 && limit_row + 1 != row) {
      label = format_bytes(top / 2);
    }
    text += right(label, kMargin - 1) + " " + (label.empty() ? "│" : "┤");
    for (const std::uint64_t bytes : *most) {
      std::size_t level = std::clamp(height(bytes), 8 * (row - 1), 8 * row) - 8 * (row - 1);
      // Little is not nothing.
      if (row == 1 && level == 0 && bytes > 0) level = 1;
      text += level == 0 && row == limit_row ? std::string_view("┄") : kLevels[level];
    }
    // A plain text file has no blanks at its lines' ends.
    while (text.ends_with(' ')) text.pop_back();
    text += '\n';
  }
  text += right("0 B", kMargin - 1) + " ┼";
  for (std::size_t i = 0; i < columns; ++i) text += "─";
  const std::string last = format_duration(end.at);
  text += "\n" + std::string(kMargin + 1, ' ') + "0 s" + right(last, columns - 3) + "\n";
  return text;
}

}  // namespace oomdrill::simulator
