#include "pressure_trigger.h"

#include <gtest/gtest.h>

#include "fixture_tree.h"

namespace oomdrill::probe {
namespace {

cgroup::Location location_of(cgroup::Version version) {
  cgroup::Location location;
  location.version = version;
  location.directory = "/sys/fs/cgroup";
  return location;
}

TEST(PressureTrigger, IsOnTheCgroupWhereThatCanBeWritten) {
  test::FixtureTree tree;
  tree.file("/sys/fs/cgroup/memory.pressure", "").file("/proc/pressure/memory", "");
  const PressureTrigger trigger(tree.root(), location_of(cgroup::Version::v2));
  EXPECT_GE(trigger.fd(), 0);
  EXPECT_EQ(trigger.where(), "cgroup");
  EXPECT_EQ(trigger.reason(), "");
  EXPECT_EQ(*read_file(tree.root() / "/sys/fs/cgroup/memory.pressure"),
            std::string_view("some 150000 2000000\0", 20));
}

TEST(PressureTrigger, FallsBackToTheMachineAndSaysWhy) {
  test::FixtureTree tree;
  tree.file("/proc/pressure/memory", "");
  const PressureTrigger v2(tree.root(), location_of(cgroup::Version::v2));
  EXPECT_EQ(v2.where(), "system");
  EXPECT_NE(v2.reason().find("memory.pressure: No such file or directory"), std::string::npos);
  const PressureTrigger v1(tree.root(), location_of(cgroup::Version::v1));
  EXPECT_EQ(v1.where(), "system");
  EXPECT_EQ(v1.reason(), "cgroup v1 has no memory.pressure");
  const PressureTrigger blind(tree.root(), std::nullopt);
  EXPECT_EQ(blind.where(), "system");
}

TEST(PressureTrigger, MayBeNowhere) {
  test::FixtureTree tree;
  tree.file("/keep", "");
  PressureTrigger trigger(tree.root(), location_of(cgroup::Version::v2));
  EXPECT_EQ(trigger.fd(), -1);
  EXPECT_EQ(trigger.where(), "none");
  EXPECT_NE(trigger.reason().find("; "), std::string::npos) << "a reason for each";
  trigger.close();
}

}  // namespace
}  // namespace oomdrill::probe
