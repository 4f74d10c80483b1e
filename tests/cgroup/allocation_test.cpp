// The probe's loop must not allocate (docs/architecture.md): every allocation of this test program
// is counted.
#include <gtest/gtest.h>

#include "allocation_counter.h"
#include "cgroup/reader.h"
#include "fixture_tree.h"
#include "tree.h"

namespace oomdrill::cgroup {
namespace {

template <class Work>
std::uint64_t allocations_in(const Work& work) {
  const std::uint64_t before = test::allocations();
  work();
  return test::allocations() - before;
}

TEST(Allocation, IsCounted) {
  std::string text;
  EXPECT_GE(allocations_in([&text] { text.assign(1000, 'x'); }), 1u) << text;
}

TEST(Allocation, ReadingMakesNone) {
  const std::string root = test::fixtures() + "/cgroup";
  for (const char* tree : {"/v1-docker", "/v1-hybrid-host", "/v2-docker", "/v2-child"}) {
    const FileRoot file_root(root + tree);
    const auto location = locate(file_root);
    ASSERT_TRUE(location) << location.error().line();
    const auto reader = Reader::open(file_root, *location);
    ASSERT_TRUE(reader) << reader.error().line();
    const auto host = HostOomCounter::open(file_root);
    ASSERT_TRUE(host) << host.error().line();
    Sample sample;
    bool ok = true;
    const std::uint64_t made = allocations_in([&] {
      for (int i = 0; i < 3; ++i) {
        ok &= reader->read(sample).has_value();
        ok &= reader->read_counters(sample).has_value();
        ok &= host->read().has_value();
        ok &= working_set(sample).has_value() && ecs_used(sample, location->version).has_value();
      }
    });
    EXPECT_TRUE(ok) << tree;
    EXPECT_EQ(made, 0u) << tree;
  }
}

TEST(Allocation, AbsentFilesMakeNone) {
  test::FixtureTree tree;
  tree.file("/c/memory.current", "1\n").file("/proc/vmstat", "");
  Location location;
  location.directory = "/c";
  const auto reader = Reader::open(tree.root(), location);
  const auto host = HostOomCounter::open(tree.root());
  ASSERT_TRUE(reader && host);
  Sample sample;
  bool ok = true;
  EXPECT_EQ(allocations_in([&] { ok = reader->read(sample).has_value() && !host->read(); }), 0u);
  EXPECT_TRUE(ok);
}

}  // namespace
}  // namespace oomdrill::cgroup
