#include "alarm/sources.h"

#include <gtest/gtest.h>

namespace oomdrill::alarm {
namespace {

constexpr std::string_view kDescribed = R"json({"MetricAlarms":[
  {"AlarmName":"high","Namespace":"AWS/ECS","MetricName":"MemoryUtilization","Statistic":"Average",
   "Dimensions":[{"Name":"ClusterName","Value":"drills"}],"Period":60,"EvaluationPeriods":3,
   "DatapointsToAlarm":2,"Threshold":85.0,"ComparisonOperator":"GreaterThanThreshold",
   "TreatMissingData":"notBreaching"},
  {"AlarmName":"slow","Namespace":"AWS/ApplicationELB","MetricName":"Latency","Period":300,
   "ExtendedStatistic":"p99","EvaluationPeriods":1,"Threshold":1,
   "ComparisonOperator":"GreaterThanOrEqualToThreshold",
   "EvaluateLowSampleCountPercentile":"ignore"},
  {"AlarmName":"band","EvaluationPeriods":2,"ThresholdMetricId":"ad1","Metrics":[{"Id":"m1"}],
   "ComparisonOperator":"GreaterThanUpperThreshold"},
  {"AlarmName":"sum","EvaluationPeriods":2,"Metrics":[{"Id":"m1"}],"Threshold":1,
   "ComparisonOperator":"GreaterThanThreshold"}],
 "CompositeAlarms":[{"AlarmName":"both","AlarmRule":"ALARM(high) OR ALARM(slow)"
}]
})json";

constexpr std::string_view kPlan = R"json({"format_version":"1.2","planned_values":{"root_module":{
  "resources":[{"type":"aws_ecs_cluster","values":{"name":"drills"}},
    {"type":"aws_cloudwatch_metric_alarm","values":{"alarm_name":"high","namespace":"AWS/ECS",
     "comparison_operator":"GreaterThanThreshold","evaluation_periods":"2","period":"60",
     "metric_name":"MemoryUtilization","statistic":"Average","threshold":"85",
     "datapoints_to_alarm":null,"dimensions":{"ClusterName":"drills"},"metric_query":[],
     "treat_missing_data":"missing"}}],
  "child_modules":[{"resources":[
    {"type":"aws_cloudwatch_composite_alarm","values":{"alarm_name":"c","alarm_rule":"ALARM(\"high\")"
}
},
    {"type":"aws_cloudwatch_composite_alarm","values":{"alarm_name":"later"}}]
}]
}
}
})json";

TEST(Sources, ReadsWhatDescribeAlarmsSays) {
  const auto set = parse_alarms(kDescribed);
  ASSERT_TRUE(set) << set.error().line();
  ASSERT_EQ(set->metric.size(), 2U);
  const MetricAlarm& high = set->metric[0];
  EXPECT_EQ(high.name, "high");
  EXPECT_EQ(high.metric_namespace, "AWS/ECS");
  EXPECT_EQ(high.dimensions.at("ClusterName"), "drills");
  EXPECT_EQ(high.evaluation_periods, 3U);
  EXPECT_EQ(high.datapoints_to_alarm, 2U);
  EXPECT_EQ(high.missing, Missing::not_breaching);
  const MetricAlarm& slow = set->metric[1];
  EXPECT_EQ(slow.period, seconds(300));
  EXPECT_EQ(slow.datapoints_to_alarm, 1U);
  EXPECT_EQ(name(slow.statistic), "p99");
  EXPECT_TRUE(slow.ignores_low_samples);
  EXPECT_EQ(slow.missing, Missing::missing);
  ASSERT_EQ(set->composite.size(), 1U);
  ASSERT_EQ(set->other.size(), 2U);
  EXPECT_NE(set->other[0].why.find("anomaly"), std::string::npos);
  EXPECT_NE(set->other[1].why.find("math"), std::string::npos);
}

TEST(Sources, ReadsAPlanOfTerraformWithItsModules) {
  const auto set = parse_alarms(kPlan);
  ASSERT_TRUE(set) << set.error().line();
  ASSERT_EQ(set->metric.size(), 1U);
  EXPECT_EQ(set->metric[0].evaluation_periods, 2U);
  EXPECT_EQ(set->metric[0].datapoints_to_alarm, 2U);
  EXPECT_EQ(set->metric[0].threshold, 85);
  ASSERT_EQ(set->composite.size(), 1U);
  EXPECT_EQ(set->composite[0].rule.alarms(), std::vector<std::string>{"high"});
  ASSERT_EQ(set->other.size(), 1U);
  EXPECT_EQ(set->other[0].name, "later");
}

TEST(Sources, NamesTheAlarmThatIsWrong) {
  const auto line = [](std::string_view text) {
    const auto set = parse_alarms(text);
    EXPECT_FALSE(set) << text;
    return set ? "" : set.error().line();
  };
  EXPECT_TRUE(line("<html>").starts_with("is no JSON; give the output of"));
  EXPECT_TRUE(line("[1]").starts_with("holds no alarms;"));
  EXPECT_TRUE(line(R"json({"MetricAlarms":[]})json").starts_with("holds no alarms;"));
  EXPECT_EQ(line(R"json({"MetricAlarms":[{}]})json"), "an alarm without AlarmName");
  EXPECT_EQ(line(R"json({"MetricAlarms":[{"AlarmName":"x","Namespace":"n"}]})json"),
            "alarm 'x': MetricName is missing or wrong");
  EXPECT_EQ(line(R"json({"MetricAlarms":[{"AlarmName":"x","Namespace":"n","MetricName":"m",
      "Statistic":"Sum","Period":45,"EvaluationPeriods":1,"Threshold":0,
      "ComparisonOperator":"LessThanThreshold"}]})json"),
            "alarm 'x': a period of 45 s; CloudWatch takes 10, 20, 30 and multiples of 60");
  EXPECT_EQ(line(R"json({"CompositeAlarms":[{"AlarmName":"c","AlarmRule":"ALARM(a) XOR"}]})json"),
            "alarm 'c': expected AND, OR or the end at character 10 of the rule");
}

TEST(Sources, TheGuidesSetIsBuiltIn) {
  const auto set = load_alarms("guide");
  ASSERT_TRUE(set);
  ASSERT_EQ(set->metric.size(), 3U);
  EXPECT_EQ(set->metric[0].name, "ecs-memory-utilization-high");
  for (const MetricAlarm& each : set->metric) EXPECT_TRUE(each.check());
  const auto nothing = load_alarms("/nonexistent");
  ASSERT_FALSE(nothing);
  EXPECT_NE(nothing.error().errnum, 0);
}

}  // namespace
}  // namespace oomdrill::alarm
