#include "detect/detectors.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>

#include "../readings.h"

namespace oomdrill::probe {
namespace {

using fake::kMiB;
using fake::ms;
using fake::reading_at;

/// What the threshold detector tells of a look: "75+ 85+", noted as told.
std::string crossings(std::uint64_t used_mib, History& history, const Policy& policy = {}) {
  const Reading now = reading_at(ms(0), used_mib);
  std::string text;
  while (const auto found = detect_threshold(now, history, policy)) {
    const auto& f = std::get<ThresholdCrossed>(*found);
    if (!text.empty()) text += ' ';
    text += std::to_string(static_cast<int>(f.percent)) + (f.up ? '+' : '-');
    history.note(*found);
  }
  return text;
}

TEST(Detectors, EachOfTheTableHasItsOwnNameAndIsSilentOnNothing) {
  std::set<std::string_view> names;
  for (const Detector& detector : detectors()) {
    EXPECT_TRUE(names.insert(detector.name).second) << detector.name;
    EXPECT_FALSE(detector.help.empty());
    EXPECT_FALSE(detector.detect(Reading{}, History{}, Policy{})) << detector.name;
  }
  EXPECT_EQ(names.size(), 6U);
}

TEST(Threshold, IsToldOncePerCrossing) {
  History history;
  EXPECT_EQ(crossings(74, history), "");
  EXPECT_EQ(crossings(75, history), "75+");
  EXPECT_EQ(crossings(80, history), "");
  EXPECT_EQ(crossings(75, history), "");
}

TEST(Threshold, SeveralCrossedAtOnceAreToldInOrder) {
  History history;
  EXPECT_EQ(crossings(99, history), "75+ 85+ 95+");
  EXPECT_EQ(crossings(10, history), "95- 85- 75-");
}

TEST(Threshold, HysteresisKeepsAFlickeringValueQuiet) {
  History history;
  EXPECT_EQ(crossings(76, history), "75+");
  EXPECT_EQ(crossings(74, history), "");
  EXPECT_EQ(crossings(76, history), "");
  EXPECT_EQ(crossings(70, history), "") << "70 is not below 75 - 5";
  EXPECT_EQ(crossings(69, history), "75-");
  EXPECT_EQ(crossings(76, history), "75+");
  Policy wide;
  wide.hysteresis = 30;
  EXPECT_EQ(crossings(50, history, wide), "");
}

TEST(Threshold, GoesByTheWorkingSetNotByPageCache) {
  History history;
  Reading now = reading_at(ms(0), 99);
  now.sample.stat.inactive_file = 50 * kMiB;
  EXPECT_FALSE(detect_threshold(now, history, {}));
  now.sample.stat.inactive_file.reset();  // memory.stat cannot be read: usage has to do
  EXPECT_TRUE(detect_threshold(now, history, {}));
}

TEST(Threshold, NeedsALimit) {
  EXPECT_FALSE(detect_threshold(reading_at(ms(0), 99, std::nullopt), History{}, {}));
}

TEST(LimitChange, TellsBothLimitsOnce) {
  History history;
  history.limit = 100 * kMiB;
  EXPECT_FALSE(detect_limit_change(reading_at(ms(0), 1), history, {}));
  const auto found = detect_limit_change(reading_at(ms(0), 1, 50 * kMiB), history, {});
  ASSERT_TRUE(found);
  EXPECT_EQ(std::get<LimitChanged>(*found).previous, 100 * kMiB);
  EXPECT_EQ(std::get<LimitChanged>(*found).current, 50 * kMiB);
  history.note(*found);
  EXPECT_FALSE(detect_limit_change(reading_at(ms(0), 1, 50 * kMiB), history, {}));
  EXPECT_TRUE(detect_limit_change(reading_at(ms(0), 1, std::nullopt), history, {}));
}

TEST(LastWords, AreSilentFarFromTheLimit) {
  History history;
  history.push(reading_at(ms(0), 10));
  EXPECT_FALSE(detect_last_words(reading_at(ms(1000), 11), history, {}));
}

TEST(LastWords, ComeWhenTheLimitIsTwoIntervalsAway) {
  History history;
  history.push(reading_at(ms(0), 10));
  history.told = 10 * kMiB;
  // 30 MiB/s: 60 MiB more take 2 s, which is not less than two intervals of 1 s; 61 MiB do.
  EXPECT_FALSE(detect_last_words(reading_at(ms(1000), 40), history, {}));
  EXPECT_TRUE(detect_last_words(reading_at(ms(1000), 41), history, {}));
}

TEST(LastWords, TellASteadyServiceNothingAgain) {
  History history;
  history.crossed = 3;
  history.told = 96 * kMiB;
  EXPECT_FALSE(detect_last_words(reading_at(ms(0), 96), history, {}));
}

TEST(LastWords, ComeCloserWithTheLimitAndStayFew) {
  History history;
  history.crossed = 3;
  history.told = 95 * kMiB;
  int lines = 0;
  std::uint64_t last = 0;
  for (std::uint64_t used = 95 * kMiB; used <= 100 * kMiB; used += 16 << 10) {
    Reading now = reading_at(ms(0), 0);
    now.sample.current = used;
    if (const auto found = detect_last_words(now, history, {})) {
      history.note(*found);
      last = used;
      ++lines;
    }
  }
  EXPECT_GE(lines, 4);
  EXPECT_LE(lines, 20);
  EXPECT_GE(last, 100 * kMiB - (128 << 10)) << "the last line tells the state right at the limit";
}

TEST(OomKill, IsFoundByTheHierarchicalCounterWhereThereIsOne) {
  History history;
  Reading now = reading_at(ms(0), 1);
  now.sample.own.oom_kill = 0;
  now.sample.hierarchical.oom_kill = 3;
  history.take_counters(now.sample);
  EXPECT_FALSE(detect_oom_kill(now, history, {}));
  now.sample.hierarchical.oom_kill = 5;
  const auto found = detect_oom_kill(now, history, {});
  ASSERT_TRUE(found);
  EXPECT_EQ(std::get<OomKilled>(*found).kills, 2U);
  history.note(*found);
  EXPECT_FALSE(detect_oom_kill(now, history, {}));
}

TEST(OomKill, IsFoundByTheOwnCounterOnV1AndNeverWithoutOne) {
  History history;
  Reading now = reading_at(ms(0), 1);
  EXPECT_FALSE(detect_oom_kill(now, history, {}));
  now.sample.own.oom_kill = 0;
  history.take_counters(now.sample);
  now.sample.own.oom_kill = 1;
  EXPECT_TRUE(detect_oom_kill(now, history, {}));
  now.sample.own.oom_kill.reset();
  EXPECT_FALSE(detect_oom_kill(now, history, {}));
}

TEST(OomKill, ACounterThatStartsAnewIsNoKill) {
  History history;
  Reading now = reading_at(ms(0), 1);
  now.sample.own.oom_kill = 7;
  history.take_counters(now.sample);
  now.sample.own.oom_kill = 0;
  EXPECT_FALSE(detect_oom_kill(now, history, {}));
}

TEST(History, KeepsTheNewestPoints) {
  History history;
  for (int i = 0; i < 100; ++i) history.push(reading_at(ms(i), static_cast<std::uint64_t>(i)));
  EXPECT_EQ(history.size(), History::kPoints);
  EXPECT_EQ(history.point(0).at, ms(99));
  EXPECT_EQ(history.point(History::kPoints - 1).at, ms(100 - static_cast<int>(History::kPoints)));
  EXPECT_EQ(history.last().at, ms(99));
}

struct PressureRow {
  const char* what;
  std::function<void(Reading&, std::uint64_t look)> change;
  std::string_view cause;  ///< empty: none
};

TEST(Pressure, HasFourCauses) {
  const auto psi = [](double avg10) {
    cgroup::Pressure pressure;
    pressure.some.avg10 = avg10;
    return pressure;
  };
  const PressureRow rows[] = {
      {"stalled for a fifth of the time",
       [&psi](Reading& r, std::uint64_t) { r.sample.pressure = psi(20); }, "stalled"},
      {"hardly stalled", [&psi](Reading& r, std::uint64_t) { r.sample.pressure = psi(2); }, ""},
      {"reclaim at the limit, v1",
       [](Reading& r, std::uint64_t look) { r.sample.own.max = 50 * look; }, "limit_hits"},
      {"a hit now and then", [](Reading& r, std::uint64_t look) { r.sample.own.max = look; }, ""},
      {"cache that is needed again, at the limit",
       [](Reading& r, std::uint64_t look) {
         r.sample.current = 99 * fake::kMiB;
         r.sample.stat.workingset_refault_file = 5000 * look;
       },
       "refaults"},
      {"the same far from the limit",
       [](Reading& r, std::uint64_t look) { r.sample.stat.workingset_refault_file = 5000 * look; },
       ""},
      {"memory.high",
       [](Reading& r, std::uint64_t look) {
         r.sample.hierarchical.oom_kill = 0;
         r.sample.hierarchical.high = 5 * look;
       },
       "throttled"},
  };
  for (const auto& row : rows) {
    History history;
    std::vector<PressureChanged> found;
    const auto look = [&](int second, bool pressed) {
      Reading now = fake::reading_at(fake::ms(1000 * second), 10);
      row.change(now, pressed ? static_cast<std::uint64_t>(second) : 20);
      if (!pressed && now.sample.pressure) now.sample.pressure->some.avg10 = 0;
      if (!pressed) now.sample.current = 10 * fake::kMiB;
      history.follow(now);
      while (const auto next = detect_pressure(now, history, {})) {
        history.note(*next);
        found.push_back(std::get<PressureChanged>(*next));
      }
      history.push(now);
    };
    for (int second = 0; second <= 20; ++second) look(second, true);
    ASSERT_EQ(found.size(), row.cause.empty() ? 0U : 1U) << row.what;
    for (int second = 21; second <= 60; ++second) look(second, false);
    if (row.cause.empty()) continue;
    ASSERT_EQ(found.size(), 2U) << row.what;
    EXPECT_EQ(pressure_cause_name(found[0].cause), row.cause);
    EXPECT_TRUE(found[0].up);
    EXPECT_FALSE(found[1].up);
  }
}

}  // namespace
}  // namespace oomdrill::probe
