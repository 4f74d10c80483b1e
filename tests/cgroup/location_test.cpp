#include "cgroup/location.h"

#include <gtest/gtest.h>

#include "cgroup/reader.h"
#include "fixture_tree.h"

namespace oomdrill::cgroup {
namespace {

using test::FixtureTree;
using Paths = std::vector<std::string>;

const std::string kId(64, 'a');
const std::string kTask(32, 'b');

std::string v1_mount(const std::string& root, const std::string& point = "/sys/fs/cgroup/memory",
                     const std::string& options = "rw,memory") {
  return "34 30 0:31 " + root + " " + point + " rw,nosuid - cgroup cgroup " + options + "\n";
}

std::string v2_mount(const std::string& root, const std::string& point = "/sys/fs/cgroup",
                     const std::string& options = "rw") {
  return "35 30 0:32 " + root + " " + point + " " + options + " - cgroup2 cgroup rw\n";
}

/// The least that makes `directory` a memory cgroup with a limit.
FixtureTree& v1_cgroup(FixtureTree& tree, const std::string& directory) {
  return tree.file(directory + "/memory.usage_in_bytes", "4096\n")
      .file(directory + "/memory.limit_in_bytes", "67108864\n");
}

FixtureTree& v2_cgroup(FixtureTree& tree, const std::string& directory) {
  return tree.file(directory + "/cgroup.controllers", "cpu memory pids\n")
      .file(directory + "/cgroup.events", "populated 1\nfrozen 0\n")
      .file(directory + "/memory.current", "4096\n")
      .file(directory + "/memory.max", "67108864\n");
}

FixtureTree& v2_root(FixtureTree& tree, const std::string& controllers = "cpu memory pids\n") {
  return tree.file("/sys/fs/cgroup/cgroup.controllers", controllers)
      .file("/sys/fs/cgroup/memory.stat", "anon 1\n");
}

Location found(const FixtureTree& tree, std::string_view process = "self") {
  const auto location = locate(tree.root(), process);
  EXPECT_TRUE(location) << location.error().line();
  return location ? *location : Location{};
}

std::string error_of(const FixtureTree& tree) {
  const auto location = locate(tree.root());
  EXPECT_FALSE(location) << location->directory;
  return location ? "" : location.error().line();
}

TEST(Locate, V1InDockerIsMountedAtItsRoot) {
  FixtureTree tree;
  tree.file("/proc/self/cgroup", "5:pids:/docker/" + kId + "\n4:memory:/docker/" + kId + "\n")
      .file("/proc/self/mountinfo",
            "34 30 0:31 /docker/" + kId +
                " /sys/fs/cgroup/memory ro,nosuid - cgroup cgroup rw,memory\n");
  v1_cgroup(tree, "/sys/fs/cgroup/memory");
  const Location location = found(tree);
  EXPECT_EQ(location.version, Version::v1);
  EXPECT_EQ(location.layout, Layout::v1);
  EXPECT_EQ(location.mount, "/sys/fs/cgroup/memory");
  EXPECT_EQ(location.directory, "/sys/fs/cgroup/memory");
  EXPECT_EQ(location.kernel_path, "/docker/" + kId);
  EXPECT_EQ(location.ancestors, Paths{});
  EXPECT_TRUE(location.ancestors_hidden);
  EXPECT_TRUE(location.read_only);
  EXPECT_FALSE(location.is_root);
  EXPECT_EQ(location.container_id, kId);
  EXPECT_EQ(location.ecs_task_id, std::nullopt);
}

TEST(Locate, V1OnEcsShowsTaskAndContainer) {
  const std::string path = "/ecs/" + kTask + "/" + kId;
  FixtureTree tree;
  tree.file("/proc/self/cgroup", "4:memory:" + path + "\n")
      .file("/proc/self/mountinfo", v1_mount(path));
  v1_cgroup(tree, "/sys/fs/cgroup/memory");
  const Location location = found(tree);
  EXPECT_EQ(location.directory, "/sys/fs/cgroup/memory");
  EXPECT_EQ(location.container_id, kId);
  EXPECT_EQ(location.ecs_task_id, kTask);
}

TEST(Locate, V1BindMountThatDoesNotNameItsRoot) {
  FixtureTree tree;
  tree.file("/proc/self/cgroup", "4:memory:/docker/" + kId + "\n")
      .file("/proc/self/mountinfo", v1_mount("/"));
  v1_cgroup(tree, "/sys/fs/cgroup/memory");
  EXPECT_EQ(found(tree).directory, "/sys/fs/cgroup/memory");
  EXPECT_TRUE(found(tree).ancestors_hidden);
  // The deeper one is the right one where both exist.
  v1_cgroup(tree, "/sys/fs/cgroup/memory/docker/" + kId);
  EXPECT_EQ(found(tree).directory, "/sys/fs/cgroup/memory/docker/" + kId);
}

TEST(Locate, V1NeverTakesTheMachinesRootForACgroupThatIsNotThere) {
  FixtureTree tree;
  tree.file("/proc/self/cgroup", "4:memory:/docker/" + kId + "\n")
      .file("/proc/self/mountinfo", v1_mount("/"))
      .file("/sys/fs/cgroup/memory/release_agent", "\n");
  v1_cgroup(tree, "/sys/fs/cgroup/memory");
  EXPECT_NE(error_of(tree).find("no mount shows it"), std::string::npos) << error_of(tree);
}

TEST(Locate, V1OnAHostShowsEveryAncestor) {
  FixtureTree tree;
  tree.file("/proc/self/cgroup", "4:cpu,memory,name=x:/a/b\n")
      .file("/proc/self/mountinfo", v1_mount("/", "/cg", "rw,cpu,memory"))
      .file("/cg/release_agent", "\n");
  for (const char* directory : {"/cg", "/cg/a", "/cg/a/b"}) v1_cgroup(tree, directory);
  const Location location = found(tree);
  EXPECT_EQ(location.directory, "/cg/a/b");
  EXPECT_EQ(location.ancestors, (Paths{"/cg/a", "/cg"}));
  EXPECT_FALSE(location.ancestors_hidden);
  EXPECT_FALSE(location.read_only);
  EXPECT_EQ(location.container_id, std::nullopt);
}

TEST(Locate, V1RootCgroup) {
  FixtureTree tree;
  tree.file("/proc/self/cgroup", "4:memory:/\n")
      .file("/proc/self/mountinfo", v1_mount("/"))
      .file("/sys/fs/cgroup/memory/cgroup.sane_behavior", "0\n");
  v1_cgroup(tree, "/sys/fs/cgroup/memory");
  EXPECT_TRUE(found(tree).is_root);
}

TEST(Locate, V1MountPointWithASpace) {
  FixtureTree tree;
  tree.file("/proc/self/cgroup", "4:memory:/my app\n")
      .file("/proc/self/mountinfo", v1_mount("/my\\040app", "/c\\040g"));
  v1_cgroup(tree, "/c g");
  EXPECT_EQ(found(tree).directory, "/c g");
}

TEST(Locate, V1SeveralMountsPreferTheOneThatShowsMost) {
  FixtureTree tree;
  tree.file("/proc/self/cgroup", "4:memory:/docker/x\n")
      .file("/proc/self/mountinfo", v1_mount("/docker/other", "/elsewhere") +
                                        v1_mount("/docker/x", "/bound") + v1_mount("/", "/host"));
  for (const char* directory : {"/elsewhere", "/bound", "/host/docker/x", "/host/docker", "/host"})
    v1_cgroup(tree, directory);
  EXPECT_EQ(found(tree).directory, "/host/docker/x");
  tree.file("/proc/self/mountinfo",
            v1_mount("/docker/other", "/elsewhere") + v1_mount("/docker/x", "/bound"));
  EXPECT_EQ(found(tree).directory, "/bound");
}

TEST(Locate, HybridHasMemoryOnV1) {
  FixtureTree tree;
  tree.file("/proc/self/cgroup", "4:memory:/app\n1:name=systemd:/other\n0::/other\n")
      .file("/proc/self/mountinfo", v2_mount("/", "/sys/fs/cgroup/unified") + v1_mount("/") +
                                        v1_mount("/", "/sys/fs/cgroup/systemd", "rw,name=systemd"))
      .file("/sys/fs/cgroup/unified/cgroup.controllers", "hugetlb\n")
      .file("/sys/fs/cgroup/unified/memory.pressure", "some\n");
  v1_cgroup(tree, "/sys/fs/cgroup/memory/app");
  const Location location = found(tree);
  EXPECT_EQ(location.version, Version::v1);
  EXPECT_EQ(location.layout, Layout::hybrid);
  EXPECT_EQ(location.directory, "/sys/fs/cgroup/memory/app");
}

TEST(Locate, MemoryOnV2BesideV1HierarchiesWithoutIt) {
  FixtureTree tree;
  tree.file("/proc/self/cgroup", "2:name=systemd:/app\n0::/app\n")
      .file("/proc/self/mountinfo", v1_mount("/", "/sys/fs/cgroup/systemd", "rw,name=systemd") +
                                        v2_mount("/", "/sys/fs/cgroup/unified"));
  tree.file("/sys/fs/cgroup/unified/cgroup.controllers", "memory\n");
  v2_cgroup(tree, "/sys/fs/cgroup/unified/app");
  const Location location = found(tree);
  EXPECT_EQ(location.version, Version::v2);
  EXPECT_EQ(location.layout, Layout::v2);
  EXPECT_EQ(location.directory, "/sys/fs/cgroup/unified/app");
  EXPECT_FALSE(location.ancestors_hidden);
}

TEST(Locate, ProcCgroupsIsNotAsked) {
  // A kernel without v1 memcg does not list memory there; an old one lists it though v2 holds it.
  FixtureTree tree;
  tree.file("/proc/self/cgroup", "0::/\n")
      .file("/proc/self/mountinfo", v2_mount("/"))
      .file("/proc/cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled\nmemory\t4\t9\t1\n");
  v2_cgroup(tree, "/sys/fs/cgroup");
  EXPECT_EQ(found(tree).version, Version::v2);
}

TEST(Locate, V2PrivateNamespaceHidesItsAncestors) {
  FixtureTree tree;
  tree.file("/proc/self/cgroup", "0::/\n")
      .file("/proc/self/mountinfo", v2_mount("/", "/sys/fs/cgroup", "ro,nosuid"));
  v2_cgroup(tree, "/sys/fs/cgroup");
  const Location location = found(tree);
  EXPECT_EQ(location.version, Version::v2);
  EXPECT_EQ(location.directory, "/sys/fs/cgroup");
  EXPECT_EQ(location.kernel_path, "/");
  EXPECT_TRUE(location.ancestors_hidden);
  EXPECT_TRUE(location.read_only);
  EXPECT_FALSE(location.is_root);
}

TEST(Locate, V2HostNamespaceUnderSystemd) {
  const std::string path = "/ecstasks.slice/ecstasks-" + kTask + ".slice/docker-" + kId + ".scope";
  FixtureTree tree;
  tree.file("/proc/self/cgroup", "0::" + path + "\n").file("/proc/self/mountinfo", v2_mount("/"));
  v2_root(tree);
  v2_cgroup(tree, "/sys/fs/cgroup/ecstasks.slice");
  v2_cgroup(tree, "/sys/fs/cgroup/ecstasks.slice/ecstasks-" + kTask + ".slice");
  v2_cgroup(tree, "/sys/fs/cgroup" + path);
  const Location location = found(tree);
  EXPECT_EQ(location.directory, "/sys/fs/cgroup" + path);
  EXPECT_EQ(location.ancestors, (Paths{"/sys/fs/cgroup/ecstasks.slice/ecstasks-" + kTask + ".slice",
                                       "/sys/fs/cgroup/ecstasks.slice", "/sys/fs/cgroup"}));
  EXPECT_FALSE(location.ancestors_hidden);
  EXPECT_EQ(location.container_id, kId);
  EXPECT_EQ(location.ecs_task_id, kTask);
}

TEST(Locate, V2WithoutTheControllerIsChargedToTheNearestAncestorThatHasIt) {
  FixtureTree tree;
  tree.file("/proc/self/cgroup", "0::/user.slice/app.scope/inner\n")
      .file("/proc/self/mountinfo", v2_mount("/"))
      .file("/sys/fs/cgroup/user.slice/app.scope/cgroup.controllers", "pids\n")
      .file("/sys/fs/cgroup/user.slice/app.scope/inner/cgroup.controllers", "\n");
  v2_root(tree);
  v2_cgroup(tree, "/sys/fs/cgroup/user.slice");
  const Location location = found(tree);
  EXPECT_EQ(location.directory, "/sys/fs/cgroup/user.slice");
  EXPECT_EQ(location.kernel_path, "/user.slice/app.scope/inner");
  EXPECT_EQ(location.ancestors, Paths{"/sys/fs/cgroup"});
}

TEST(Locate, V2RootCgroupHasNothingToRead) {
  FixtureTree tree;
  tree.file("/proc/self/cgroup", "0::/\n").file("/proc/self/mountinfo", v2_mount("/"));
  v2_root(tree);
  const Location location = found(tree);
  EXPECT_TRUE(location.is_root);
  EXPECT_FALSE(location.ancestors_hidden);
  const auto reader = Reader::open(tree.root(), location);
  ASSERT_FALSE(reader);
  EXPECT_NE(reader.error().line().find("/sys/fs/cgroup: is the root cgroup"), std::string::npos);
}

TEST(Locate, V2WithoutMemoryAnywhereSaysWhatToDo) {
  FixtureTree tree;
  tree.file("/proc/self/cgroup", "0::/app\n")
      .file("/proc/self/mountinfo", v2_mount("/"))
      .file("/sys/fs/cgroup/app/cgroup.controllers", "pids\n");
  v2_root(tree, "pids\n");
  EXPECT_NE(error_of(tree).find("cgroup_enable=memory"), std::string::npos) << error_of(tree);

  FixtureTree rootless;
  rootless.file("/proc/self/cgroup", "0::/\n")
      .file("/proc/self/mountinfo", v2_mount("/"))
      .file("/sys/fs/cgroup/cgroup.controllers", "pids\n")
      .file("/sys/fs/cgroup/cgroup.type", "domain\n");
  EXPECT_NE(error_of(rootless).find("not enabled for this cgroup"), std::string::npos);
}

TEST(Locate, OutsideOfTheNamespaceIsNotGuessed) {
  FixtureTree tree;
  tree.file("/proc/self/cgroup", "0::/../docker-" + kId + ".scope\n")
      .file("/proc/self/mountinfo", v2_mount("/"));
  v2_cgroup(tree, "/sys/fs/cgroup");
  // Where a naive join would end up.
  v2_cgroup(tree, "/sys/fs/docker-" + kId + ".scope");
  EXPECT_NE(error_of(tree).find("no mount shows it"), std::string::npos) << error_of(tree);
  // A mount whose root is named alike, as /proc/<pid>/mountinfo shows it to an outsider.
  tree.file("/proc/self/mountinfo", v2_mount("/../docker-" + kId + ".scope"));
  EXPECT_EQ(found(tree).directory, "/sys/fs/cgroup");
  EXPECT_EQ(found(tree).container_id, kId);
}

TEST(Locate, AMountAboveTheNamespaceIsNotGuessed) {
  // unshare -C without a new mount: how the cgroups between are called cannot be known.
  FixtureTree tree;
  tree.file("/proc/self/cgroup", "0::/\n").file("/proc/self/mountinfo", v2_mount("/../.."));
  v2_cgroup(tree, "/sys/fs/cgroup");
  EXPECT_NE(error_of(tree).find("no mount shows it"), std::string::npos) << error_of(tree);
}

TEST(Locate, APathIsNoPrefixOfItsSiblings) {
  FixtureTree tree;
  tree.file("/proc/self/cgroup", "4:memory:/docker/ab\n")
      .file("/proc/self/mountinfo", v1_mount("/docker/a", "/bound"));
  v1_cgroup(tree, "/boundb");
  EXPECT_NE(error_of(tree).find("no mount shows it"), std::string::npos) << error_of(tree);
}

TEST(Locate, AnotherProcess) {
  FixtureTree tree;
  tree.file("/proc/1234/cgroup", "0::/leak\n").file("/proc/self/mountinfo", v2_mount("/"));
  v2_root(tree);
  v2_cgroup(tree, "/sys/fs/cgroup/leak");
  EXPECT_EQ(found(tree, "1234").directory, "/sys/fs/cgroup/leak");
  for (const char* process : {"", "../1234", "-1", "1234/..", "selfish"}) {
    EXPECT_FALSE(locate(tree.root(), process)) << process;
  }
}

TEST(Locate, MissingAndBrokenFilesAreNamed) {
  FixtureTree tree;
  EXPECT_NE(error_of(tree).find("/proc/self/cgroup: cannot open"), std::string::npos);
  tree.file("/proc/self/cgroup", "0::/\n");
  EXPECT_NE(error_of(tree).find("/proc/self/mountinfo: cannot open"), std::string::npos);
  tree.file("/proc/self/mountinfo", "nonsense\n");
  EXPECT_NE(error_of(tree).find("/proc/self/mountinfo:1: "), std::string::npos);
  tree.file("/proc/self/mountinfo", "");
  EXPECT_NE(error_of(tree).find("mount cgroup2"), std::string::npos);
  tree.file("/proc/self/cgroup", "1:name=systemd:/\n2:name=memory:/\n");
  EXPECT_NE(error_of(tree).find("no cgroup that could hold memory"), std::string::npos);
  tree.file("/proc/self/cgroup", "0::\n");
  EXPECT_NE(error_of(tree).find("/proc/self/cgroup:1: "), std::string::npos);
}

TEST(LocateDirectory, IsToldByItsFiles) {
  FixtureTree tree;
  tree.file("/proc/self/mountinfo",
            v1_mount("/") + v2_mount("/sub", "/sys/fs/cgroup/unified", "ro"))
      .file("/sys/fs/cgroup/memory/release_agent", "\n")
      .file("/sys/fs/cgroup/unified/a/memory.peak", "1\n");
  v1_cgroup(tree, "/sys/fs/cgroup/memory");
  v1_cgroup(tree, "/sys/fs/cgroup/memory/docker/" + kId);
  v2_cgroup(tree, "/sys/fs/cgroup/unified/a");

  const auto v1 = locate_directory(tree.root(), "/sys/fs/cgroup//memory/./docker/" + kId + "/");
  ASSERT_TRUE(v1) << v1.error().line();
  EXPECT_EQ(v1->version, Version::v1);
  EXPECT_EQ(v1->layout, Layout::hybrid);
  EXPECT_EQ(v1->mount, "/sys/fs/cgroup/memory");
  EXPECT_EQ(v1->directory, "/sys/fs/cgroup/memory/docker/" + kId);
  EXPECT_EQ(v1->kernel_path, "/docker/" + kId);
  EXPECT_EQ(v1->container_id, kId);
  EXPECT_EQ(v1->ancestors, (Paths{"/sys/fs/cgroup/memory/docker", "/sys/fs/cgroup/memory"}));
  EXPECT_FALSE(v1->ancestors_hidden);
  EXPECT_FALSE(v1->read_only);

  const auto v2 = locate_directory(tree.root(), "/sys/fs/cgroup/unified/a");
  ASSERT_TRUE(v2) << v2.error().line();
  EXPECT_EQ(v2->version, Version::v2);
  EXPECT_EQ(v2->kernel_path, "/sub/a");
  EXPECT_TRUE(v2->read_only);
}

TEST(LocateDirectory, WorksOutsideOfOurOwnMounts) {
  FixtureTree tree;
  v2_cgroup(tree, "/proc/7/root/sys/fs/cgroup");
  v2_cgroup(tree, "/proc/7/root/sys/fs/cgroup/a");
  v2_cgroup(tree, "/proc/7/root/sys/fs/cgroup/a/b");
  const auto location = locate_directory(tree.root(), "/proc/7/root/sys/fs/cgroup/a/b");
  ASSERT_TRUE(location) << location.error().line();
  EXPECT_EQ(location->mount, "/proc/7/root/sys/fs/cgroup");
  EXPECT_EQ(location->kernel_path, "/a/b");
  EXPECT_EQ(location->ancestors,
            (Paths{"/proc/7/root/sys/fs/cgroup/a", "/proc/7/root/sys/fs/cgroup"}));
  EXPECT_TRUE(location->ancestors_hidden);
}

TEST(LocateDirectory, RefusesWhatIsNoMemoryCgroup) {
  FixtureTree tree;
  tree.file("/sys/fs/cgroup/cpu/cgroup.procs", "")
      .file("/proc/self/mountinfo", v2_mount("/"))
      .file("/sys/fs/cgroup/app/cgroup.controllers", "pids\n")
      .file("/sys/fs/cgroup/app/cgroup.events", "");
  v2_root(tree);
  const auto error = [&](const std::string& directory) {
    const auto location = locate_directory(tree.root(), directory);
    EXPECT_FALSE(location) << directory;
    return location ? "" : location.error().line();
  };
  EXPECT_NE(error("/sys/fs/cgroup/none").find("/none: cannot open"), std::string::npos);
  EXPECT_NE(error("sys/fs/cgroup").find("no absolute path"), std::string::npos);
  EXPECT_NE(error("").find("no absolute path"), std::string::npos);
  EXPECT_NE(error("/sys/fs/cgroup/cpu").find("is no memory cgroup"), std::string::npos);
  EXPECT_NE(error("/sys/fs/cgroup/cpu/cgroup.procs").find("cannot open"), std::string::npos);
  EXPECT_NE(error("/sys/fs/cgroup/app").find("not enabled for this cgroup"), std::string::npos);
  const auto root = locate_directory(tree.root(), "/sys/fs/cgroup");
  ASSERT_TRUE(root) << root.error().line();
  EXPECT_TRUE(root->is_root);
}

TEST(Names, AreThoseOfTheEvents) {
  EXPECT_EQ(name(Version::v1), "v1");
  EXPECT_EQ(name(Version::v2), "v2");
  EXPECT_EQ(name(Layout::v1), "v1");
  EXPECT_EQ(name(Layout::v2), "v2");
  EXPECT_EQ(name(Layout::hybrid), "hybrid");
}

}  // namespace
}  // namespace oomdrill::cgroup
