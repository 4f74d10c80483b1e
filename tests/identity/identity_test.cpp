#include "identity/identity.h"

#include <gtest/gtest.h>

#include <map>

#include "ecs_fixtures.h"

namespace oomdrill::identity {
namespace {

using test::ecs_fixture;
using test::HttpEndpoint;
using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr std::chrono::seconds kPatience{60};

Environment with_endpoint(const std::string& url) {
  return [url](const char* name) {
    return std::string_view(name) == ecs::kEndpointVariable ? url.c_str() : nullptr;
  };
}

std::optional<ecs::Task> task_of(const std::string& prefix) {
  return *ecs::parse_task(ecs_fixture(prefix + "_task"), ecs_fixture(prefix + "_container"));
}

TEST(AskEndpoint, IsSilentOffEcs) {
  std::string warning = "left over";
  EXPECT_FALSE(ask_endpoint([](const char*) { return nullptr; }, kPatience, &warning));
  EXPECT_EQ(warning, "");
  EXPECT_FALSE(ask_endpoint(with_endpoint(""), kPatience, &warning));
  EXPECT_EQ(warning, "");
}

TEST(AskEndpoint, TakesTheAddressFromTheVariable) {
  const HttpEndpoint endpoint(test::ecs_handler("fargate"));
  std::string warning = "left over";
  const auto task = ask_endpoint(with_endpoint(endpoint.url() + "/v4/token"), kPatience, &warning);
  ASSERT_TRUE(task);
  EXPECT_EQ(task->family, "web-leak");
  EXPECT_EQ(warning, "");
}

TEST(AskEndpoint, WarnsInOneLine) {
  std::string warning;
  EXPECT_FALSE(ask_endpoint(with_endpoint("http://no-name/v4"), kPatience, &warning));
  EXPECT_NE(warning.find("http://no-name/v4/task"), std::string::npos) << warning;
  EXPECT_NE(warning.find("its limit is unknown"), std::string::npos) << warning;
  EXPECT_EQ(warning.find('\n'), std::string::npos);
  EXPECT_FALSE(ask_endpoint(with_endpoint("http://no-name/v4"), kPatience));
}

TEST(AskEndpoint, WarnsWhereTheContainerIsUnknown) {
  const HttpEndpoint endpoint([](const std::string& path) {
    return path == "/task" ? HttpEndpoint::ok(ecs_fixture("fargate_task"))
                           : HttpEndpoint::status(404);
  });
  std::string warning;
  const auto task = ask_endpoint(with_endpoint(endpoint.url()), kPatience, &warning);
  ASSERT_TRUE(task);
  EXPECT_FALSE(task->self);
  EXPECT_NE(warning.find("which container"), std::string::npos) << warning;
}

TEST(MakeContext, HoldsNothingOffEcs) {
  const auto context = make_context(std::nullopt, "Team/Memory");
  EXPECT_TRUE(context.members.empty());
  EXPECT_TRUE(context.dimension_sets.empty());
  EXPECT_EQ(context.metric_namespace, "Team/Memory");
}

TEST(MakeContext, NamesTheTask) {
  const auto context = make_context(task_of("fargate"));
  EXPECT_EQ(context.members, (Pairs{{"cluster", "drills"},
                                    {"service", "web"},
                                    {"family", "web-leak"},
                                    {"revision", "7"},
                                    {"task_id", "0f5c1d2e3b4a59687786950413223140"},
                                    {"container_name", "app"},
                                    {"container_id", "0f5c1d2e3b4a59687786950413223140-2495160603"},
                                    {"availability_zone", "eu-central-1a"},
                                    {"launch_type", "FARGATE"}}));
  ASSERT_EQ(context.dimension_sets.size(), 2u);
  EXPECT_EQ(context.dimension_sets[0], (Pairs{{"ClusterName", "drills"}, {"ServiceName", "web"}}));
  EXPECT_EQ(context.dimension_sets[1],
            (Pairs{{"TaskDefinitionFamily", "web-leak"}, {"ContainerName", "app"}}));
  EXPECT_EQ(context.metric_namespace, "oomdrill");
  EXPECT_TRUE(telemetry::validate(context));
}

TEST(MakeContext, LeavesOutASetThatIsNotWhole) {
  auto task = task_of("fargate");
  task->service.clear();  // a task that was run without a service
  EXPECT_EQ(make_context(task).dimension_sets.size(), 1u);
  EXPECT_EQ(make_context(task).members[1].first, "family");
  task->self.reset();
  EXPECT_TRUE(make_context(task).dimension_sets.empty());
}

TEST(MakeContext, LeavesOutASetThatCloudWatchRefuses) {
  auto task = task_of("fargate");
  task->cluster = ":odd";
  const auto context = make_context(task);
  ASSERT_EQ(context.dimension_sets.size(), 1u);
  EXPECT_EQ(context.dimension_sets[0][0].first, "TaskDefinitionFamily");
  EXPECT_EQ(context.members[0].second, ":odd");
}

TEST(AddLimits, AddsBoth) {
  std::vector<cgroup::LimitCandidate> candidates(1);
  add_limits(*task_of("fargate"), candidates);
  ASSERT_EQ(candidates.size(), 3u);
  EXPECT_EQ(candidates[1].source, cgroup::LimitSource::ecs_container);
  EXPECT_EQ(candidates[1].bytes, 384u << 20U);
  EXPECT_EQ(candidates[1].where, "ECS_CONTAINER_METADATA_URI_V4");
  EXPECT_EQ(candidates[2].source, cgroup::LimitSource::ecs_task);
  EXPECT_EQ(candidates[2].bytes, 512u << 20U);
  EXPECT_EQ(candidates[2].where, "ECS_CONTAINER_METADATA_URI_V4/task");
}

TEST(AddLimits, NoLimitIsAnAnswerToo) {
  std::vector<cgroup::LimitCandidate> candidates;
  add_limits(*task_of("ec2"), candidates);
  ASSERT_EQ(candidates.size(), 2u);
  EXPECT_EQ(candidates[1].bytes, std::nullopt);
  auto unknown = *task_of("ec2");
  unknown.self.reset();
  candidates.clear();
  add_limits(unknown, candidates);
  ASSERT_EQ(candidates.size(), 1u);
  EXPECT_EQ(candidates[0].source, cgroup::LimitSource::ecs_task);
}

}  // namespace
}  // namespace oomdrill::identity
