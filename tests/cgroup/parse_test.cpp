#include <gtest/gtest.h>

#include "cgroup/limit.h"
#include "mountinfo.h"
#include "pressure.h"
#include "proc_cgroup.h"
#include "text.h"

namespace oomdrill::cgroup {
namespace {

const std::string kId(64, 'a');
const std::string kTask(32, 'b');

TEST(Lines, CountsAndTakesALastLineWithoutNewline) {
  Lines lines("a\n\nb");
  EXPECT_EQ(lines.next(), "a");
  EXPECT_EQ(lines.next(), "");
  EXPECT_EQ(lines.next(), "b");
  EXPECT_EQ(lines.number(), 3u);
  EXPECT_EQ(lines.next(), std::nullopt);
}

TEST(ParseNumber, ReadsOneNumber) {
  EXPECT_EQ(*parse_number("0\n", "f"), 0u);
  EXPECT_EQ(*parse_number("18446744073709551615\n", "f"), UINT64_MAX);
  EXPECT_EQ(*parse_number("42", "f"), 42u);
  for (const char* text : {"", "\n", "max\n", "-1\n", "+1\n", " 1\n", "1 \n", "1\n2\n", "1\r\n",
                           "0x10\n", "1.5\n", "18446744073709551616\n"}) {
    EXPECT_FALSE(parse_number(text, "f")) << text;
  }
}

TEST(ParseNumber, ErrorIsOneShortPrintableLine) {
  const auto error = parse_number(std::string(1000, 'x') + "\n\033[31m", "/f").error();
  EXPECT_EQ(error.line(), "/f:1: '" + std::string(60, 'x') + "...' is no number");
  EXPECT_EQ(parse_number("\033[31m\n", "/f").error().line(), "/f:1: '?[31m?' is no number");
}

TEST(ParseLimit, KnowsHowNoLimitIsWritten) {
  for (const char* none :
       {"max\n", "max", "9223372036854771712\n" /* 4 KiB pages */,
        "9223372036854710272\n" /* 64 KiB pages */, "9223372036852678656\n" /* 2 MiB pages */,
        "9223372035781033984\n" /* 1 GiB pages */, "9223372036854775807\n" /* INT64_MAX */,
        "18446744073709551615\n"}) {
    const auto limit = parse_limit(none, "f");
    ASSERT_TRUE(limit) << none;
    EXPECT_EQ(*limit, std::nullopt) << none;
  }
  EXPECT_EQ(*parse_limit("67108864\n", "f"), 64u << 20);
  EXPECT_EQ(*parse_limit("0\n", "f"), 0u);
  // 1 PiB is large, and a limit.
  EXPECT_EQ(*parse_limit("1125899906842624\n", "f"), std::uint64_t{1} << 50);
  for (const char* text : {"", "maximum\n", "max max\n", "-1\n", "512M\n"}) {
    const auto limit = parse_limit(text, "/memory.max");
    ASSERT_FALSE(limit) << text;
    EXPECT_TRUE(limit.error().line().starts_with("/memory.max:1: ")) << limit.error().line();
  }
}

TEST(ParseMemTotal, IsInBytes) {
  EXPECT_EQ(*parse_mem_total("MemTotal:       24683620 kB\nMemFree: 1 kB\n", "f"),
            24683620u * std::uint64_t{1024});
  EXPECT_EQ(*parse_mem_total("New: x\nMemTotal: 1 kB", "f"), 1024u);
  for (const char* text : {"", "MemFree: 1 kB\n", "MemTotal: x kB\n", "MemTotal:\n",
                           "MemTotal: 1\n", "MemTotal: 18446744073709551615 kB\n"}) {
    EXPECT_FALSE(parse_mem_total(text, "f")) << text;
  }
}

TEST(ParseMountinfo, KeepsCgroupMountsAndTheirEscapes) {
  const auto mounts = parse_mountinfo(
      "26 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
      "34 30 0:31 /a\\040b /mnt/c\\134d\\011 ro,nosuid shared:7 master:1 - cgroup cgroup "
      "rw,cpu,memory\n"
      "35 30 0:32 /../x /sys/fs/cgroup rw - cgroup2  rw,nsdelegate\n",
      "f");
  ASSERT_TRUE(mounts) << mounts.error().line();
  ASSERT_EQ(mounts->size(), 2u);
  const Mount& v1 = (*mounts)[0];
  EXPECT_TRUE(v1.is_v1());
  EXPECT_EQ(v1.root, "/a b");
  EXPECT_EQ(v1.point, "/mnt/c\\d\t");
  EXPECT_EQ(v1.super_options, "rw,cpu,memory");
  EXPECT_TRUE(v1.read_only());
  const Mount& v2 = (*mounts)[1];
  EXPECT_TRUE(v2.is_v2());
  EXPECT_EQ(v2.root, "/../x");
  EXPECT_EQ(v2.super_options, "rw,nsdelegate");
  EXPECT_FALSE(v2.read_only());
}

TEST(ParseMountinfo, LeavesBrokenEscapesAsTheyStand) {
  const auto mounts = parse_mountinfo(
      "1 1 0:1 /\\04 /\\999\\40 rw - cgroup2 c rw\n2 1 0:1 /\\ /\\777 rw - cgroup2 c rw", "f");
  ASSERT_TRUE(mounts);
  EXPECT_EQ((*mounts)[0].root, "/\\04");
  EXPECT_EQ((*mounts)[0].point, "/\\999\\40");
  EXPECT_EQ((*mounts)[1].root, "/\\");
  EXPECT_EQ((*mounts)[1].point, "/\\777");
}

TEST(ParseMountinfo, ALaterMountHidesAnEarlierOne) {
  const auto mounts = parse_mountinfo(
      "1 1 0:1 / /sys/fs/cgroup rw - cgroup2 c rw\n"
      "2 1 0:2 / /other rw - cgroup2 c rw\n"
      "3 1 0:3 / /sys/fs/cgroup rw - tmpfs t rw\n",
      "f");
  ASSERT_EQ(mounts->size(), 1u);
  EXPECT_EQ((*mounts)[0].point, "/other");
}

TEST(ParseMountinfo, NamesTheLineThatIsNone) {
  for (const char* line : {"", "x", "1 2 3 /a /b rw cgroup cgroup rw", "1 2 3 - cgroup c rw",
                           "1 2 3 a /b rw - cgroup c rw", "1 2 3 /a b rw - cgroup2 c rw"}) {
    const auto mounts =
        parse_mountinfo(std::string("1 1 0:1 / / rw - ext4 d rw\n") + line + "\n", "/m");
    ASSERT_FALSE(mounts) << line;
    EXPECT_TRUE(mounts.error().line().starts_with("/m:2: ")) << mounts.error().line();
  }
  EXPECT_TRUE(parse_mountinfo("1 1 0:4 net:[4026531840] /run/netns/x rw - nsfs nsfs rw\n", "/m"));
}

TEST(ParseProcCgroup, ReadsEveryKindOfHierarchy) {
  const auto memberships = parse_proc_cgroup(
      "11:memory,hugetlb:/docker/a:b\n10:name=systemd:/x y\n9:cpu,cpuacct:/\n0::/../z", "f");
  ASSERT_TRUE(memberships) << memberships.error().line();
  ASSERT_EQ(memberships->size(), 4u);
  EXPECT_EQ((*memberships)[0].controllers, "memory,hugetlb");
  EXPECT_EQ((*memberships)[0].path, "/docker/a:b");
  EXPECT_FALSE((*memberships)[1].unified);
  EXPECT_EQ((*memberships)[1].path, "/x y");
  EXPECT_TRUE((*memberships)[3].unified);
  EXPECT_EQ((*memberships)[3].path, "/../z");
}

TEST(ParseProcCgroup, NamesTheLineThatIsNone) {
  for (const char* line : {"", "memory:/", "4:memory:docker", "x:memory:/", "4:memory", ":::"}) {
    const auto memberships = parse_proc_cgroup(std::string("0::/\n") + line + "\n", "/c");
    ASSERT_FALSE(memberships) << line;
    EXPECT_TRUE(memberships.error().line().starts_with("/c:2: ")) << memberships.error().line();
  }
}

TEST(ContainerId, StandsInEveryEnginesPath) {
  const std::string inner(64, 'c');
  for (const std::string& path : {
           fmt::format("/docker/{}", kId),
           fmt::format("/ecs/{}/{}", kTask, kId),
           fmt::format("/system.slice/docker-{}.scope", kId),
           fmt::format("/../docker-{}.scope", kId),
           fmt::format("/kubepods.slice/x.slice/cri-containerd-{}.scope", kId),
           fmt::format("/docker/{}/docker/{}", inner, kId),
           fmt::format("/docker/{}/init.scope", kId),
       }) {
    EXPECT_EQ(container_id_of(path), kId) << path;
  }
  // Fargate: the endpoint's DockerId has this form too.
  EXPECT_EQ(container_id_of(fmt::format("/ecs/{0}/{0}-2495160603", kTask)), kTask + "-2495160603");
  for (const std::string& path : {
           std::string("/"),
           std::string(),
           fmt::format("/docker/{}0", kId),
           fmt::format("/ecs/{}", kTask),
           fmt::format("/ecs/{0}/{0}-x", kTask),
           fmt::format("/ecs/{0}/{0}-", kTask),
           fmt::format("/docker/{}", std::string(64, 'G')),
           std::string("/user.slice/user-0.slice/session-1.scope"),
       }) {
    EXPECT_EQ(container_id_of(path), std::nullopt) << path;
  }
}

TEST(EcsTaskId, StandsInBothOfTheAgentsPaths) {
  const std::string uuid = "c9b1e3a2-0c3d-4f5e-8a7b-1234567890ab";
  EXPECT_EQ(ecs_task_id_of(fmt::format("/ecs/{}/{}", kTask, kId)), kTask);
  EXPECT_EQ(ecs_task_id_of(fmt::format("/ecs/{}/{}", uuid, kId)), uuid);
  EXPECT_EQ(
      ecs_task_id_of(fmt::format("/ecstasks.slice/ecstasks-{}.slice/docker-{}.scope", kTask, kId)),
      kTask);
  for (const std::string& path : {
           fmt::format("/docker/{}", kId),
           fmt::format("/ecs/{}", kId),
           fmt::format("/docker/{}/{}", kTask, kId),
           std::string("/ecs"),
           std::string("/ecstasks-.slice/x"),
       }) {
    EXPECT_EQ(ecs_task_id_of(path), std::nullopt) << path;
  }
}

TEST(ParsePressure, ReadsBothLinesAndPassesOverMore) {
  const auto pressure = parse_pressure(
      "some avg10=12.34 avg60=0.00 avg300=100.00 total=18446744073709551615 new=1\n"
      "other avg10=x\n"
      "full avg10=1.50 avg60=2.00 avg300=0.01 total=7",
      "f");
  ASSERT_TRUE(pressure) << pressure.error().line();
  EXPECT_DOUBLE_EQ(pressure->some.avg10, 12.34);
  EXPECT_DOUBLE_EQ(pressure->some.avg300, 100);
  EXPECT_EQ(pressure->some.total_us, UINT64_MAX);
  EXPECT_DOUBLE_EQ(pressure->full.avg60, 2);
  EXPECT_EQ(pressure->full.total_us, 7u);
}

TEST(ParsePressure, MissingOrStrangeValuesAreAnErrorAndNoZero) {
  const std::string good = "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";
  for (const std::string& text :
       {std::string(), good, good + "full avg10=0.00 avg60=0.00 avg300=0.00\n",
        good + "full avg10=nan avg60=0.00 avg300=0.00 total=0\n",
        good + "full avg10=-1.00 avg60=0.00 avg300=0.00 total=0\n",
        good + "full avg10=1e999 avg60=0.00 avg300=0.00 total=0\n", good + "full\n",
        good + "full avg10= avg60= avg300= total=\n"}) {
    const auto pressure = parse_pressure(text, "/p");
    ASSERT_FALSE(pressure) << text;
    EXPECT_TRUE(pressure.error().line().starts_with("/p:")) << pressure.error().line();
  }
}

}  // namespace
}  // namespace oomdrill::cgroup
