#include <gtest/gtest.h>

#include <memory>

#include "allocation_counter.h"
#include "fakes.h"
#include "readings.h"
#include "requires.h"

namespace oomdrill::probe {
namespace {

using fake::ms;

/// The counter would also stay at zero if it did not count.
TEST(Allocations, AreCounted) {
  const auto before = test::allocations();
  const auto owned = std::make_unique<int>(1);
  EXPECT_GT(test::allocations(), before) << *owned;
}

TEST(Allocations, TheLoopMakesNone) {
  fake::NullSink sink;
  for (const char* format : {"json", "emf", "text"}) {
    fake::Rig rig(sink, format);
    rig.monitor.start({});
    fake::FakeWorkload workload;
    rig.monitor.workload_started(workload, "leak", 1);
    rig.step(ms(1000));  // the first of each thing may set up a library's own tables

    const auto before = test::allocations();
    for (std::uint64_t i = 0; i < 2000; ++i) {
      // Sweeps over the thresholds and back, with kills and limit hits on the way.
      const std::uint64_t used = i % 200 < 100 ? i % 100 : 100 - i % 100;
      rig.source.next.sample.current = used << 20;
      if (i % 50 == 0) {
        rig.source.next.sample.own.oom_kill = *rig.source.next.sample.own.oom_kill + 1;
        rig.monitor.wake();
      }
      if (i % 75 == 0) (void)rig.monitor.reaped(Reaped{});
      rig.step(ms(100));
    }
    EXPECT_EQ(test::allocations() - before, 0U) << format;
    EXPECT_GT(rig.emitter.emitted(), 200U) << "the loop said what there was to say";
  }
}

TEST(Allocations, NeitherDoesReadingTheRealCgroup) {
  const auto location = cgroup::locate(FileRoot());
  OOMDRILL_REQUIRE(location, "no memory cgroup", "run it on a Linux with cgroups");
  auto source = open_cgroup(FileRoot(), *location, {});
  OOMDRILL_REQUIRE(source, source.error().line(), "run it in a memory cgroup that can be read");
  Reading reading;
  ASSERT_TRUE((*source)->read(reading));
  const auto before = test::allocations();
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE((*source)->read(reading));
    ASSERT_TRUE((*source)->read_counters(reading));
  }
  EXPECT_EQ(test::allocations() - before, 0U);
}

}  // namespace
}  // namespace oomdrill::probe
