#include "siblings.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "fixture_tree.h"

namespace oomdrill::probe {
namespace {

using test::FixtureTree;

const std::string kId(64, 'a');

void add_process(FixtureTree& tree, const std::string& pid, const char* mounts,
                 const std::string& cgroup) {
  tree.file("/proc/" + pid + "/cgroup", cgroup);
  if (mounts == nullptr) return;
  std::filesystem::create_directories(tree.path() + "/proc/" + pid + "/ns");
  std::filesystem::create_symlink(mounts, tree.path() + "/proc/" + pid + "/ns/mnt");
}

TEST(Siblings, AreTheOtherMountNamespacesByTheirFirstProcess) {
  FixtureTree tree;
  add_process(tree, "self", "mnt:[1]", "");
  add_process(tree, "9", "mnt:[1]", "");
  add_process(tree, "31", "mnt:[2]", "0::/../" + kId + "\n");
  add_process(tree, "4", "mnt:[2]", "0::/../" + kId + "\n");
  add_process(tree, "7", "mnt:[3]", "4:memory:/docker/" + kId + "\n0::/\n");
  add_process(tree, "12", nullptr, "");
  add_process(tree, "13x", "mnt:[4]", "");
  add_process(tree, "14", "mnt:[5]", "");
  tree.file("/proc/14/comm", "runc:[2:INIT]\n");
  const Neighbours found = find_neighbours(tree.root());
  ASSERT_EQ(found.containers.size(), 2u);
  EXPECT_EQ(found.containers[0].main, 4);
  EXPECT_EQ(found.containers[0].mounts, "mnt:[2]");
  EXPECT_EQ(found.containers[0].container_id, kId);
  EXPECT_EQ(found.containers[1].main, 7);
  EXPECT_EQ(found.containers[1].container_id, kId);
}

TEST(Siblings, NobodyWhereProcCannotBeListed) {
  FixtureTree tree;
  EXPECT_TRUE(find_neighbours(tree.root()).containers.empty());
}

TEST(Siblings, AreNamedByTheEndpoint) {
  ecs::Task task;
  task.family = "orders";
  task.containers.resize(2);
  task.containers[1].docker_id = kId;
  task.containers[1].name = "app";
  task.self = task.containers[0];
  EXPECT_EQ(as_seen_by(task, kId).self->name, "app");
  EXPECT_EQ(as_seen_by(task, kId).family, "orders");
  EXPECT_FALSE(as_seen_by(task, "").self) << "nobody is called by another's name";
  EXPECT_EQ(as_seen_by(task, "b").self->docker_id, "b");
  EXPECT_EQ(as_seen_by(task, "b").self->name, "");
  EXPECT_EQ(as_seen_by(std::nullopt, "b").self->docker_id, "b");
}

}  // namespace
}  // namespace oomdrill::probe
