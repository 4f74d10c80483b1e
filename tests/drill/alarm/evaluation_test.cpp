#include "alarm/evaluation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace oomdrill::alarm {
namespace {

constexpr Instant kStart{seconds(1'700'000'040)};  // a whole minute
static_assert(kStart.time_since_epoch().count() % 60 == 0);

std::vector<Judged> range_of(std::string_view text) {
  std::vector<Judged> range;
  for (const char c : text) {
    if (c == '0') range.emplace_back(false);
    if (c == 'X') range.emplace_back(true);
    if (c == '-') range.emplace_back(std::nullopt);
  }
  return range;
}

// --- the published examples ---

/// "Configuring how CloudWatch alarms treat missing data", CloudWatch User Guide
/// (docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html), its
/// tables for 3 of 3 and 2 of 3; "older edition" is the table of the guide before 2022.
struct Row {
  const char* citation;
  std::uint32_t m;
  const char* points;  ///< newest at the right; evaluation range 5
  const char* missing;
  const char* ignore;
  const char* breaching;
  const char* not_breaching;
};

constexpr const char* kInsufficient = "INSUFFICIENT_DATA";
constexpr const char* kRetain = "retain";
constexpr Row kRows[] = {
    {"alarms-and-missing-data, 3 of 3, row 1", 3, "0 - X - X", "OK", "OK", "OK", "OK"},
    {"alarms-and-missing-data, 3 of 3, row 2", 3, "- - - - 0", "OK", "OK", "OK", "OK"},
    {"alarms-and-missing-data, 3 of 3, row 3", 3, "- - - - -", kInsufficient, kRetain, "ALARM",
     "OK"},
    {"alarms-and-missing-data, 3 of 3, row 4", 3, "0 X X - X", "ALARM", "ALARM", "ALARM", "ALARM"},
    {"alarms-and-missing-data, 3 of 3, row 5", 3, "- - X - -", "ALARM", kRetain, "ALARM", "OK"},
    {"older edition, 3 of 3, oldest point breaches", 3, "X - - - -", "ALARM", kRetain, "ALARM",
     "OK"},
    {"older edition, 3 of 3, newest point breaches", 3, "- - - - X", kInsufficient, kRetain,
     "ALARM", "OK"},
    {"older edition, 3 of 3, oldest point is within", 3, "0 - - - -", "OK", "OK", "OK", "OK"},
    {"alarms-and-missing-data, 2 of 3, row 1", 2, "0 - X - X", "ALARM", "ALARM", "ALARM", "ALARM"},
    {"alarms-and-missing-data, 2 of 3, row 2", 2, "0 0 X 0 X", "ALARM", "ALARM", "ALARM", "ALARM"},
    {"alarms-and-missing-data, 2 of 3, row 3", 2, "0 - X - -", "OK", "OK", "ALARM", "OK"},
    {"alarms-and-missing-data, 2 of 3, row 4", 2, "- - - - 0", "OK", "OK", "ALARM", "OK"},
    {"alarms-and-missing-data, 2 of 3, row 5", 2, "- - - X -", "ALARM", kRetain, "ALARM", "OK"},
};

TEST(Decision, ReproducesEveryPublishedRow) {
  for (const Row& row : kRows) {
    const auto range = range_of(row.points);
    ASSERT_EQ(range.size(), 5U) << row.citation;
    const auto decided = [&](Missing missing) {
      const auto state = decide(range, 3, row.m, missing);
      return std::string(state ? name(*state) : kRetain);
    };
    const std::string what = std::string(row.citation) + ": " + row.points;
    EXPECT_EQ(decided(Missing::missing), row.missing) << what;
    EXPECT_EQ(decided(Missing::ignore), row.ignore) << what;
    EXPECT_EQ(decided(Missing::breaching), row.breaching) << what;
    EXPECT_EQ(decided(Missing::not_breaching), row.not_breaching) << what;
  }
}

TEST(Decision, OnlyTheNewestNCountWhereEnoughExist) {
  EXPECT_EQ(decide(range_of("XX000"), 3, 1, Missing::missing), State::ok);
  EXPECT_EQ(decide(range_of("X--0-"), 1, 1, Missing::breaching), State::ok);
  EXPECT_EQ(decide(range_of("0XXX-"), 3, 3, Missing::not_breaching), State::alarm);
}

// --- series and transitions ---

MetricAlarm alarm_of(std::uint32_t n, std::uint32_t m, seconds period = seconds(60)) {
  MetricAlarm alarm;
  alarm.name = "test";
  alarm.period = period;
  alarm.evaluation_periods = n;
  alarm.datapoints_to_alarm = m;
  alarm.threshold = 85;
  return alarm;
}

/// One sample a period, in its middle.
Series series_of(const std::vector<std::optional<double>>& values, seconds period = seconds(60)) {
  Series series;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i]) series.add(kStart + i * period + period / 2, *values[i]);
  }
  return series;
}

Timing timing(seconds length, seconds delay = seconds(0)) {
  return {kStart, kStart + length, delay, seconds(0)};
}

std::string told(const std::vector<Transition>& transitions) {
  std::string text;
  for (const Transition& each : transitions) {
    text += fmt::format("{}{} s {}", text.empty() ? "" : ", ", (each.at - kStart).count(),
                        name(each.to));
  }
  return text;
}

TEST(Evaluation, TwoOfTwoNeedTwoWholePeriods) {
  const auto series = series_of({10, 20, 90, 95, 30});
  EXPECT_EQ(told(evaluate(alarm_of(2, 2), series, timing(seconds(600)))),
            "60 s OK, 240 s ALARM, 300 s OK, 540 s INSUFFICIENT_DATA");
}

TEST(Evaluation, AConstantThatIsWithinIsOkOnceAndForAll) {
  const auto series = series_of({10, 10, 10, 10});
  EXPECT_EQ(told(evaluate(alarm_of(1, 1), series, timing(seconds(240)))), "60 s OK");
}

TEST(Evaluation, DeliveryDelaysTheVerdictAndNothingElse) {
  const auto series = series_of({10, 20, 90, 95, 30});
  EXPECT_EQ(told(evaluate(alarm_of(2, 2), series, timing(seconds(420), seconds(120)))),
            "180 s OK, 360 s ALARM, 420 s OK");
  // Points that come between two evaluations are seen by the next.
  EXPECT_EQ(told(evaluate(alarm_of(2, 2), series, timing(seconds(300), seconds(1)))),
            "120 s OK, 300 s ALARM");
}

TEST(Evaluation, HighResolutionIsEvaluatedEveryTenSeconds) {
  const auto series = series_of({10, 90, 91, 10}, seconds(10));
  EXPECT_EQ(told(evaluate(alarm_of(2, 2, seconds(10)), series, timing(seconds(40)))),
            "10 s OK, 30 s ALARM, 40 s OK");
  // Averages of two points each: 50 and 50.5.
  EXPECT_EQ(told(evaluate(alarm_of(1, 1, seconds(20)), series, timing(seconds(40)))), "20 s OK");
}

TEST(Evaluation, AMetricOfAMinuteLapsesUnderAShortPeriod) {
  Series series(seconds(60));
  for (int i = 0; i < 300; ++i) series.add(kStart + seconds(i), 99);
  MetricAlarm alarm = alarm_of(3, 2, seconds(10));
  alarm.missing = Missing::not_breaching;
  EXPECT_EQ(told(evaluate(alarm, series, timing(seconds(300)))), "0 s OK");
  // One of one sees each minute's point, when it is whole.
  alarm = alarm_of(1, 1, seconds(10));
  alarm.missing = Missing::not_breaching;
  EXPECT_EQ(told(evaluate(alarm, series, timing(seconds(70)))), "0 s OK, 60 s ALARM");
}

TEST(Evaluation, MissingPointsAreTreatedAsTheAlarmSays) {
  const auto series = series_of({90, 90});
  MetricAlarm alarm = alarm_of(2, 2);
  const auto end = timing(seconds(900));
  EXPECT_EQ(told(evaluate(alarm, series, end)), "120 s ALARM, 360 s INSUFFICIENT_DATA");
  alarm.missing = Missing::ignore;
  EXPECT_EQ(told(evaluate(alarm, series, end)), "120 s ALARM");
  alarm.missing = Missing::not_breaching;
  EXPECT_EQ(told(evaluate(alarm, series, end)), "0 s OK, 120 s ALARM, 300 s OK");
  alarm.missing = Missing::breaching;
  EXPECT_EQ(told(evaluate(alarm, Series(), end)), "0 s ALARM");
}

TEST(Evaluation, AGapOfYearsCostsNothing) {
  Series series = series_of({90, 90});
  series.add(kStart + std::chrono::hours(24 * 365 * 100), 90);
  const auto transitions =
      evaluate(alarm_of(1, 1), series, timing(std::chrono::hours(24 * 365 * 100) + seconds(3600)));
  ASSERT_EQ(transitions.size(), 4U);
  EXPECT_EQ(transitions[2].to, State::alarm);
  EXPECT_GT(transitions[2].at, kStart + std::chrono::hours(24 * 365 * 100));
}

TEST(Evaluation, ThePhaseMovesTheMinutes) {
  Series series;
  for (int i = 0; i < 150; ++i) series.add(kStart + seconds(i), i < 45 ? 10 : 90);
  const MetricAlarm alarm = alarm_of(1, 1);
  Timing at = timing(seconds(150));
  EXPECT_EQ(told(evaluate(alarm, series, at)), "60 s OK, 120 s ALARM");
  at.phase = seconds(15);  // minutes begin at -15, 45, 105
  EXPECT_EQ(told(evaluate(alarm, series, at)), "45 s OK, 105 s ALARM");
}

TEST(Evaluation, PercentilesOfFewSamplesMayBeIgnored) {
  Series series(seconds(1), true);
  series.add(kStart, 99);
  MetricAlarm alarm = alarm_of(1, 1);
  alarm.statistic = *parse_statistic("p90");
  EXPECT_EQ(told(evaluate(alarm, series, timing(seconds(60)))), "60 s ALARM");
  alarm.ignores_low_samples = true;
  EXPECT_EQ(told(evaluate(alarm, series, timing(seconds(60)))), "");
  // p90 wants 10 / (1 - 0.9) = 100 of them.
  for (int i = 0; i < 100; ++i) series.add(kStart + seconds(i % 60), 99);
  EXPECT_EQ(told(evaluate(alarm, series, timing(seconds(60)))), "60 s ALARM");
}

// --- no transition without the points that justify it ---

/// The same, worked out from the samples themselves and nothing of ours.
std::optional<double> average(const std::vector<std::pair<Instant, double>>& samples, Instant from,
                              seconds period) {
  double sum = 0;
  int count = 0;
  for (const auto& sample : samples) {
    if (sample.first < from || sample.first >= from + period) continue;
    sum += sample.second;
    ++count;
  }
  return count > 0 ? std::optional(sum / count) : std::nullopt;
}

TEST(Evaluation, NoTransitionWithoutThePointsThatJustifyIt) {
  std::mt19937_64 random(5);
  const auto draw = [&](int from, int to) {
    return from + static_cast<int>(random() % static_cast<unsigned>(to - from + 1));
  };
  std::size_t alarms = 0;
  for (int round = 0; round < 3000; ++round) {
    const seconds period(std::vector<int>{10, 30, 60, 120}[random() % 4]);
    MetricAlarm alarm = alarm_of(static_cast<std::uint32_t>(draw(1, 5)), 1, period);
    alarm.datapoints_to_alarm =
        static_cast<std::uint32_t>(draw(1, static_cast<int>(alarm.evaluation_periods)));
    alarm.missing = static_cast<Missing>(draw(0, 3));
    const seconds delay(draw(0, 150));
    const seconds phase(draw(0, 59));
    std::vector<std::pair<Instant, double>> samples;
    Series series;
    for (int i = 0; i < 40; ++i) {
      if (draw(0, 3) == 0) continue;
      const Instant at =
          kStart + i * period + seconds(draw(0, static_cast<int>(period.count()) - 1));
      samples.emplace_back(at, draw(70, 100));
      series.add(at, samples.back().second);
    }
    const Timing when{kStart, kStart + 60 * period, delay, phase};
    State state = State::insufficient_data;
    Instant before = kStart - seconds(1);
    for (const Transition& transition : evaluate(alarm, series, when)) {
      ASSERT_EQ(transition.from, state);
      ASSERT_NE(transition.to, state);
      ASSERT_GT(transition.at, before);
      ASSERT_LE(transition.at, when.end);
      state = transition.to;
      before = transition.at;
      // The newest period that ended `delay` ago, and those before it.
      Instant from = kStart - phase - 100 * period;
      from -= seconds((from + phase).time_since_epoch().count() % period.count());
      while (from + 2 * period + delay <= transition.at) from += period;
      std::vector<std::optional<double>> range;
      for (std::uint32_t i = 0; i < alarm.evaluation_periods + kExtraPoints; ++i) {
        range.insert(range.begin(), average(samples, from - i * period, period));
      }
      ASSERT_EQ(transition.range, range) << round;
      std::uint32_t breaching = 0;
      std::uint32_t within = 0;
      std::uint32_t oldest = 0;
      for (std::size_t i = range.size(); i-- > 0;) {
        if (!range[i] || breaching + within == alarm.evaluation_periods) continue;
        (*range[i] > alarm.threshold ? breaching : within) += 1;
        if (*range[i] > alarm.threshold) oldest = static_cast<std::uint32_t>(range.size() - i);
      }
      const std::uint32_t absent = alarm.evaluation_periods - breaching - within;
      switch (transition.to) {
        case State::alarm:
          ++alarms;
          ASSERT_TRUE(breaching >= alarm.datapoints_to_alarm ||
                      (alarm.missing == Missing::breaching &&
                       breaching + absent >= alarm.datapoints_to_alarm) ||
                      (alarm.missing == Missing::missing && breaching > 0 && within == 0 &&
                       oldest >= alarm.datapoints_to_alarm));
          break;
        case State::ok:
          ASSERT_LT(breaching, alarm.datapoints_to_alarm);
          ASSERT_TRUE(within > 0 || alarm.missing == Missing::not_breaching ||
                      alarm.missing == Missing::breaching);
          break;
        case State::insufficient_data:
          ASSERT_EQ(alarm.missing, Missing::missing);
          ASSERT_EQ(within, 0U);
          break;
      }
    }
  }
  EXPECT_GT(alarms, 3000U);
}

// --- composite alarms ---

TEST(Composite, FollowsItsChildren) {
  const auto high = evaluate(alarm_of(2, 2), series_of({10, 20, 90, 95, 30}), timing(seconds(300)));
  const auto low = evaluate(alarm_of(1, 1), series_of({90, 20, 90, 95, 95}), timing(seconds(300)));
  const std::vector<std::pair<std::string, const std::vector<Transition>*>> children = {
      {"high", &high}, {"low", &low}};
  const auto composite = [&](std::string_view rule) {
    return told(evaluate(CompositeAlarm{"both", *Rule::parse(rule)}, children, kStart));
  };
  EXPECT_EQ(told(low), "60 s ALARM, 120 s OK, 180 s ALARM");
  EXPECT_EQ(composite("ALARM(high) AND ALARM(low)"), "0 s OK, 240 s ALARM, 300 s OK");
  EXPECT_EQ(composite("ALARM(low) AND NOT ALARM(high)"),
            "0 s OK, 60 s ALARM, 120 s OK, 180 s ALARM, 240 s OK, 300 s ALARM");
  EXPECT_EQ(composite("INSUFFICIENT_DATA(elsewhere)"), "0 s ALARM");
}

}  // namespace
}  // namespace oomdrill::alarm
