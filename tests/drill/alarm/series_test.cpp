#include "alarm/series.h"

#include <gtest/gtest.h>

#include <cmath>

namespace oomdrill::alarm {
namespace {

constexpr Instant kStart{seconds(1'700'000'040)};

TEST(Series, EveryStatisticOverAPeriod) {
  Series series(seconds(1), true);
  // Out of order, two in one second, and one of the next period.
  for (const auto& [at, value] : std::vector<std::pair<int, double>>{
           {59, 4}, {0, 1}, {30, 2}, {30, 8}, {60, 100}, {-1, 100}}) {
    series.add(kStart + seconds(at), value);
  }
  const auto value = [&](std::string_view statistic) {
    return series.value(*parse_statistic(statistic), kStart, seconds(60)).value_or(-1);
  };
  EXPECT_EQ(value("Average"), 3.75);
  EXPECT_EQ(value("Maximum"), 8);
  EXPECT_EQ(value("Minimum"), 1);
  EXPECT_EQ(value("Sum"), 15);
  EXPECT_EQ(value("SampleCount"), 4);
  EXPECT_EQ(value("p50"), 2);
  EXPECT_EQ(value("p99.9"), 8);
  EXPECT_EQ(value("p1"), 1);
  EXPECT_FALSE(series.value({}, kStart + seconds(120), seconds(60)));
}

TEST(Series, TakesNoValueThatIsNone) {
  Series series;
  series.add(kStart, std::nan(""));
  series.add(kStart, INFINITY);
  EXPECT_TRUE(series.empty());
}

TEST(Series, ALongOneIsJoinedAndKeepsItsSums) {
  Series series;
  const auto length = static_cast<int>(Series::kMostSets) + 1000;
  for (int i = 0; i < length; ++i) series.add(kStart + seconds(i), i);
  EXPECT_EQ(series.step(), seconds(10));
  EXPECT_LT(series.sets().size(), Series::kMostSets);
  EXPECT_EQ(series.value(*parse_statistic("Maximum"), kStart + seconds(60), seconds(60)), 119);
  EXPECT_EQ(series.value(*parse_statistic("Average"), kStart + seconds(60), seconds(60)), 89.5);
  EXPECT_EQ(series.value(*parse_statistic("SampleCount"), kStart, seconds(length)), length);
}

TEST(Names, AreThoseOfTheApi) {
  for (const char* text : {"Average", "Maximum", "Minimum", "Sum", "SampleCount", "p90", "p99.9"}) {
    const auto statistic = parse_statistic(text);
    ASSERT_TRUE(statistic) << text;
    EXPECT_EQ(name(*statistic), text);
  }
  for (const char* text : {"", "average", "p", "p0", "p100", "p-1", "p9x", "tm90", "p1e1"}) {
    EXPECT_FALSE(parse_statistic(text)) << text;
  }
  EXPECT_EQ(name(*parse_comparison("LessThanOrEqualToThreshold")), "LessThanOrEqualToThreshold");
  EXPECT_FALSE(parse_comparison(""));
  EXPECT_EQ(name(*parse_missing("notBreaching")), "notBreaching");
}

TEST(MetricAlarm, RefusesWhatCloudWatchRefuses) {
  MetricAlarm alarm;
  alarm.name = "high";
  EXPECT_TRUE(alarm.check());
  for (const int period : {0, 5, 45, 90}) {
    alarm.period = seconds(period);
    EXPECT_FALSE(alarm.check()) << period;
  }
  alarm.period = seconds(60);
  alarm.datapoints_to_alarm = 2;
  ASSERT_FALSE(alarm.check());
  EXPECT_EQ(alarm.check().error().where, "high");
  alarm.evaluation_periods = 1441;
  EXPECT_FALSE(alarm.check());
  alarm.evaluation_periods = 1440;
  EXPECT_TRUE(alarm.check());
}

}  // namespace
}  // namespace oomdrill::alarm
