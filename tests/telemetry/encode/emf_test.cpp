#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "encode/encoders.h"
#include "sample_events.h"

namespace oomdrill::telemetry {
namespace {

using Json = nlohmann::json;

Json encode(const Event& event, const Context& context = {}) {
  std::string line(kMaxLine, '#');
  line.resize(encode_emf(event, 7, context, line));
  return Json::parse(line);
}

Event plain() { return {"test.event", kSampleTime}; }

TEST(EncodeEmf, DeclaresMetricsOfTheRoot) {
  const auto json = encode(plain()
                               .number("used_bytes", 5u)
                               .metric("oom_killed", 0, Unit::count)
                               .metric("MemoryUtilization", 95.8, Unit::percent)
                               .metric("Rate", 1, Unit::bytes_per_second)
                               .metric("Plain", 1, Unit::none),
                           sample_context());
  EXPECT_EQ(json["_aws"], Json::parse(R"({
    "Timestamp": 1795518274123,
    "CloudWatchMetrics": [{
      "Namespace": "oomdrill",
      "Dimensions": [["ClusterName", "ServiceName"], ["TaskDefinitionFamily", "ContainerName"]],
      "Metrics": [{"Name": "oom_killed", "Unit": "Count", "StorageResolution": 1},
                  {"Name": "MemoryUtilization", "Unit": "Percent", "StorageResolution": 1},
                  {"Name": "Rate", "Unit": "Bytes/Second", "StorageResolution": 1},
                  {"Name": "Plain", "Unit": "None", "StorageResolution": 1}]}]})"));
  EXPECT_EQ(json["MemoryUtilization"], 95.8);
  EXPECT_EQ(json["ClusterName"], "drills");
  EXPECT_EQ(json["ContainerName"], "app");
  EXPECT_EQ(json["cluster"], "drills");
}

TEST(EncodeEmf, HasOneSetWithoutDimensionsWhereNoneAreKnown) {
  const auto json = encode(plain().metric("oom_killed", 0, Unit::count));
  EXPECT_EQ(json["_aws"]["CloudWatchMetrics"][0]["Dimensions"], Json::parse("[[]]"));
}

TEST(EncodeEmf, IsPlainJsonWhereThereIsNoMetric) {
  const auto json = encode(plain().number("used_bytes", 5u), sample_context());
  EXPECT_FALSE(json.contains("_aws"));
  EXPECT_FALSE(json.contains("ClusterName"));
  EXPECT_EQ(json["cluster"], "drills");
}

TEST(EncodeEmf, NeverDeclaresWhatIsNotFinite) {
  for (const double value : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    const auto both =
        encode(plain().metric("bad", value, Unit::count).metric("good", 1, Unit::count));
    EXPECT_EQ(both["_aws"]["CloudWatchMetrics"][0]["Metrics"].size(), 1u);
    EXPECT_TRUE(both["bad"].is_null());
    EXPECT_FALSE(encode(plain().metric("bad", value, Unit::count)).contains("_aws"));
  }
}

TEST(EncodeEmf, NeverDeclaresWhatIsNotAMemberOfTheRoot) {
  const auto json = encode(
      plain().begin("inner").metric("hidden", 1, Unit::count).end().metric("m", 1, Unit::count));
  const auto& metrics = json["_aws"]["CloudWatchMetrics"][0]["Metrics"];
  ASSERT_EQ(metrics.size(), 1u);
  EXPECT_EQ(metrics[0]["Name"], "m");
}

TEST(EncodeEmf, WritesADimensionOfTwoSetsOnce) {
  Context context;
  context.dimension_sets = {{{"ClusterName", "c"}}, {{"ClusterName", "c"}, {"ServiceName", "s"}}};
  std::string line(kMaxLine, '#');
  line.resize(encode_emf(plain().metric("m", 1, Unit::count), 1, context, line));
  const std::string member = "\"ClusterName\":\"c\"";
  EXPECT_NE(line.find(member), std::string::npos);
  EXPECT_EQ(line.find(member), line.rfind(member));
}

TEST(EncodeEmf, DeclaresOnlyWhatACutLeft) {
  auto event = plain().metric("kept", 1, Unit::count);
  for (const char* name : {"a", "b", "c"}) event.text(name, std::string_view());
  const std::string filler(3400, 'x');
  event.text("filler", filler).text("filler2", filler).metric("lost", 1, Unit::count);
  const auto json = encode(event, sample_context());
  EXPECT_EQ(json["truncated"], true);
  EXPECT_FALSE(json.contains("lost"));
  const auto& metrics = json["_aws"]["CloudWatchMetrics"][0]["Metrics"];
  ASSERT_EQ(metrics.size(), 1u);
  EXPECT_EQ(metrics[0]["Name"], "kept");
}

}  // namespace
}  // namespace oomdrill::telemetry
