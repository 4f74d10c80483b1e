#include "ecs/stats.h"

#include <gtest/gtest.h>

#include "ecs_fixtures.h"

namespace oomdrill::ecs {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::ecs_fixture;
using test::HttpEndpoint;

constexpr seconds kPatience{60};
constexpr std::uint64_t kMiB = 1U << 20U;

bool has_line(const MemoryStats& memory, const std::string& line) {
  return ("\n" + memory.stat).find("\n" + line + "\n") != std::string::npos;
}

/// Of the container "a", whose memory_stats are `memory`.
std::optional<MemoryStats> memory_of(const std::string& memory) {
  const auto stats = parse_stats(R"({"a":{"memory_stats":)" + memory + "}}");
  if (!stats || stats->size() != 1) throw std::runtime_error("no container a");
  return stats->front().memory;
}

TEST(ParseStats, ReadsEc2OnV1) {
  const auto stats = parse_stats(ecs_fixture("ec2_v1_stats"));
  ASSERT_TRUE(stats) << stats.error().line();
  ASSERT_EQ(stats->size(), 3u);
  EXPECT_EQ((*stats)[1].docker_id, std::string(62, '0') + "bb");
  const auto& memory = (*stats)[1].memory;
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->usage, 100 * kMiB);
  EXPECT_EQ(memory->max_usage, 110 * kMiB);
  EXPECT_EQ(memory->limit, 128 * kMiB);
  EXPECT_EQ(memory->failcnt, 7u);
  EXPECT_EQ(memory->cgroup_version, 1);
  EXPECT_TRUE(has_line(*memory, "cache 41943040")) << memory->stat;
  EXPECT_TRUE(has_line(*memory, "total_inactive_file 31457280")) << memory->stat;
  EXPECT_FALSE((*stats)[2].memory) << "null: it has stopped";
}

TEST(ParseStats, ReadsEc2OnV2) {
  const auto stats = parse_stats(ecs_fixture("ec2_v2_stats"));
  ASSERT_TRUE(stats && (*stats)[1].memory);
  const auto& memory = *(*stats)[1].memory;
  EXPECT_EQ(memory.usage, 100 * kMiB);
  EXPECT_EQ(memory.max_usage, std::nullopt);
  EXPECT_EQ(memory.failcnt, std::nullopt);
  EXPECT_EQ(memory.cgroup_version, 2);
  EXPECT_TRUE(has_line(memory, "inactive_file 20971520")) << memory.stat;
}

TEST(ParseStats, ReadsFargate) {
  const auto stats = parse_stats(ecs_fixture("fargate_stats"));
  ASSERT_TRUE(stats);
  ASSERT_EQ(stats->size(), 2u);
  ASSERT_TRUE((*stats)[1].memory);
  EXPECT_EQ((*stats)[1].memory->usage, 300 * kMiB);
  EXPECT_EQ((*stats)[1].memory->limit, 9'223'372'036'854'771'712u);
}

TEST(ParseStats, ReadsWhatIsThere) {
  EXPECT_TRUE(parse_stats("{}")->empty());
  EXPECT_FALSE(memory_of("{}"));
  EXPECT_FALSE(memory_of("null"));
  EXPECT_FALSE(memory_of(R"({"limit":1})"));
  const auto bare = memory_of(R"({"usage":5})");
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->usage, 5u);
  EXPECT_FALSE(bare->limit || bare->max_usage || bare->failcnt || bare->cgroup_version);
  EXPECT_EQ(bare->stat, "");
  EXPECT_EQ(memory_of(R"({"usage":5,"stats":{"pgfault":1}})")->cgroup_version, std::nullopt);
  EXPECT_EQ(memory_of(R"({"usage":5,"stats":{"inactive_file":1}})")->cgroup_version, 2);
  EXPECT_EQ(memory_of(R"({"usage":5,"stats":{"inactive_file":1,"rss":1}})")->cgroup_version, 1);
  for (const char* nothing : {"null", "1", "[]", "{}", R"({"memory_stats":null})"}) {
    const auto stats = parse_stats(R"({"a":)" + std::string(nothing) + "}");
    ASSERT_TRUE(stats) << nothing;
    EXPECT_FALSE(stats->front().memory) << nothing;
  }
}

TEST(ParseStats, PassesOverWrongTypesAndImpossibleNumbers) {
  for (const char* usage : {"\"5\"", "-5", "null", "[5]", "1e300", "true"}) {
    EXPECT_FALSE(memory_of(R"({"usage":)" + std::string(usage) + "}")) << usage;
  }
  EXPECT_EQ(memory_of(R"({"usage":5e6})")->usage, 5'000'000u);
  const auto memory = memory_of(
      R"({"usage":5,"limit":"x","failcnt":-1,"stats":{"anon":7,"file":"9","shmem":-2,"a b":1,"c\n":1,
          "":1,"D":1}})");
  ASSERT_TRUE(memory);
  EXPECT_FALSE(memory->limit || memory->failcnt);
  EXPECT_EQ(memory->stat, "anon 7\n");
}

TEST(ParseStats, PassesOverWhatIsNoId) {
  const std::string longest(128, 'a');
  EXPECT_EQ(parse_stats("{\"" + longest + "\":null}")->size(), 1u);
  EXPECT_TRUE(parse_stats("{\"" + longest + "a\":null}")->empty());
  EXPECT_TRUE(parse_stats("{\"\":null}")->empty());
}

TEST(ParseStats, RefusesWhatIsNoObject) {
  for (const char* text : {"", "null", "[]", "{", "{}x", "<html>", "\xff\xfe"}) {
    const auto stats = parse_stats(text);
    ASSERT_FALSE(stats) << text;
    EXPECT_NE(stats.error().line().find("JSON"), std::string::npos);
  }
}

TEST(FetchStats, NamesTheUrlThatFailed) {
  const HttpEndpoint endpoint([](const std::string& path) {
    if (path == "/good/task/stats") return HttpEndpoint::ok(ecs_fixture("fargate_stats"));
    if (path == "/garbage/task/stats") return HttpEndpoint::ok("<html>");
    return path == "/slow/task/stats" ? HttpEndpoint::Reply{{}, {}, true}
                                      : HttpEndpoint::status(404);
  });
  EXPECT_EQ(fetch_stats(endpoint.url() + "/good", kPatience)->size(), 2u);
  const auto failure = [&endpoint](const std::string& path, Nanoseconds timeout) {
    const auto stats = fetch_stats(endpoint.url() + path, timeout);
    EXPECT_FALSE(stats) << path;
    return stats ? "" : stats.error().line().substr(endpoint.url().size());
  };
  EXPECT_EQ(failure("/garbage", kPatience), "/garbage/task/stats: the answer is no JSON object");
  EXPECT_EQ(failure("/none", kPatience), "/none/task/stats: answered with status 404");
  EXPECT_EQ(failure("/slow", milliseconds(50)), "/slow/task/stats: no answer within 50 ms");
}

}  // namespace
}  // namespace oomdrill::ecs
