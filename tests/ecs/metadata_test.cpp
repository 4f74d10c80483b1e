#include "ecs/metadata.h"

#include <gtest/gtest.h>

#include "ecs_fixtures.h"

namespace oomdrill::ecs {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::ecs_fixture;
using test::ecs_handler;
using test::HttpEndpoint;

constexpr seconds kPatience{60};
constexpr std::uint64_t kMiB = 1U << 20U;

TEST(ParseTask, ReadsFargate) {
  const auto task = parse_task(ecs_fixture("fargate_task"), ecs_fixture("fargate_container"));
  ASSERT_TRUE(task) << task.error().line();
  EXPECT_EQ(task->cluster, "drills");
  EXPECT_EQ(task->id, "0f5c1d2e3b4a59687786950413223140");
  EXPECT_EQ(task->arn,
            "arn:aws:ecs:eu-central-1:123456789012:task/drills/0f5c1d2e3b4a59687786950413223140");
  EXPECT_EQ(task->family, "web-leak");
  EXPECT_EQ(task->revision, "7");
  EXPECT_EQ(task->service, "web");
  EXPECT_EQ(task->launch_type, "FARGATE");
  EXPECT_EQ(task->availability_zone, "eu-central-1a");
  EXPECT_EQ(task->memory_limit, 512 * kMiB);
  ASSERT_EQ(task->containers.size(), 2u);
  EXPECT_EQ(task->containers[0].name, "watcher");
  EXPECT_EQ(task->containers[0].memory_limit, std::nullopt);
  EXPECT_EQ(task->containers[0].restart_count, std::nullopt);
  EXPECT_EQ(task->containers[1].restart_count, 2);
  ASSERT_TRUE(task->self);
  EXPECT_EQ(task->self->name, "app");
  EXPECT_EQ(task->self->docker_id, "0f5c1d2e3b4a59687786950413223140-2495160603");
  EXPECT_EQ(task->self->image, "123456789012.dkr.ecr.eu-central-1.amazonaws.com/oomdrill:1");
  EXPECT_EQ(task->self->memory_limit, 384 * kMiB);
}

TEST(ParseTask, ReadsEc2WithoutATaskLimit) {
  const auto task = parse_task(ecs_fixture("ec2_task"), ecs_fixture("ec2_container"));
  ASSERT_TRUE(task) << task.error().line();
  EXPECT_EQ(task->cluster, "drills");
  EXPECT_EQ(task->service, "nightly");
  EXPECT_EQ(task->launch_type, "EC2");
  EXPECT_EQ(task->memory_limit, std::nullopt);
  EXPECT_EQ(task->containers[0].memory_limit, std::nullopt) << "0 is no limit of 0 bytes";
  ASSERT_TRUE(task->self);
  EXPECT_EQ(task->self->memory_limit, 128 * kMiB);
}

TEST(ParseTask, ReadsWhatIsThere) {
  const auto task = parse_task("{}", "");
  ASSERT_TRUE(task);
  EXPECT_TRUE(task->cluster.empty() && task->id.empty() && task->family.empty());
  EXPECT_FALSE(task->memory_limit);
  EXPECT_TRUE(task->containers.empty());
  EXPECT_FALSE(task->self);
}

TEST(ParseTask, IsTheOnlyContainerWhereTheEndpointDoesNotSay) {
  for (const char* container : {"", "[]", "{"}) {
    const auto one = parse_task(R"({"Containers":[{"Name":"app"}]})", container);
    ASSERT_TRUE(one && one->self) << container;
    EXPECT_EQ(one->self->name, "app");
    const auto two = parse_task(R"({"Containers":[{"Name":"app"},{"Name":"b"}]})", container);
    ASSERT_TRUE(two);
    EXPECT_FALSE(two->self);
  }
}

TEST(ParseTask, PassesOverWrongTypes) {
  const auto task = parse_task(
      R"({"Cluster":1,"TaskARN":null,"Family":["x"],"Revision":7,"ServiceName":{},
          "Limits":[512],"Containers":[1,null,{"Name":3,"Limits":{"Memory":"512"},
          "RestartCount":"many"}],"LaunchType":"EC2"})",
      R"({"DockerId":false,"Name":"app","Limits":{"Memory":-5}})");
  ASSERT_TRUE(task);
  EXPECT_TRUE(task->cluster.empty() && task->arn.empty() && task->revision.empty());
  EXPECT_EQ(task->launch_type, "EC2");
  EXPECT_FALSE(task->memory_limit);
  ASSERT_EQ(task->containers.size(), 1u);
  EXPECT_TRUE(task->containers[0].name.empty());
  EXPECT_FALSE(task->containers[0].memory_limit);
  EXPECT_FALSE(task->containers[0].restart_count);
  EXPECT_EQ(task->self->name, "app");
  EXPECT_FALSE(task->self->memory_limit);
}

TEST(ParseTask, TakesNoImpossibleLimit) {
  const auto limit = [](const std::string& memory) {
    return parse_task(R"({"Limits":{"Memory":)" + memory + "}}", "")->memory_limit;
  };
  EXPECT_EQ(limit("512"), 512 * kMiB);
  EXPECT_EQ(limit("512.0"), 512 * kMiB);
  for (const char* memory : {"0", "-1", "1e300", "18446744073709551615", "99999999999999"}) {
    EXPECT_EQ(limit(memory), std::nullopt) << memory;
  }
}

TEST(ParseTask, RefusesWhatIsNoObject) {
  for (const char* text : {"", "null", "[]", "\"x\"", "{", "{}x", "<html>", "\xff\xfe"}) {
    const auto task = parse_task(text, ecs_fixture("ec2_container"));
    ASSERT_FALSE(task) << text;
    EXPECT_NE(task.error().line().find("JSON"), std::string::npos);
  }
}

TEST(FetchTask, AsksForBoth) {
  const HttpEndpoint endpoint(ecs_handler("fargate"));
  const auto task = fetch_task(endpoint.url() + "/v4/token", kPatience);
  ASSERT_TRUE(task) << task.error().line();
  EXPECT_EQ(task->family, "web-leak");
  EXPECT_EQ(task->self->name, "app");
  const auto requests = endpoint.requests();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_TRUE(requests[0].starts_with("GET /v4/token/task HTTP/1.1\r\n")) << requests[0];
  EXPECT_NE(requests[0].find("Host: 127.0.0.1:" + std::to_string(endpoint.port())),
            std::string::npos);
}

TEST(FetchTask, DoesWithoutTheContainer) {
  const HttpEndpoint endpoint([](const std::string& path) {
    return path == "/task" ? HttpEndpoint::ok(ecs_fixture("fargate_task"))
                           : HttpEndpoint::status(500);
  });
  const auto task = fetch_task(endpoint.url(), kPatience);
  ASSERT_TRUE(task);
  EXPECT_EQ(task->memory_limit, 512 * kMiB);
  EXPECT_FALSE(task->self);
}

TEST(FetchTask, NamesTheUrlThatFailed) {
  const HttpEndpoint endpoint([](const std::string&) { return HttpEndpoint::ok("<html>"); });
  const auto task = fetch_task(endpoint.url(), kPatience);
  ASSERT_FALSE(task);
  EXPECT_EQ(task.error().line(), endpoint.url() + "/task: the answer is no JSON object");
}

// A stuck endpoint costs one time-out, not two.
TEST(FetchTask, GivesUpAfterTheFirst) {
  const HttpEndpoint endpoint([](const std::string&) { return HttpEndpoint::Reply{{}, {}, true}; });
  const auto task = fetch_task(endpoint.url(), milliseconds(50));
  ASSERT_FALSE(task);
  EXPECT_LE(endpoint.requests().size(), 1u);
}

}  // namespace
}  // namespace oomdrill::ecs
