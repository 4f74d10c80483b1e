#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdarg>
#include <memory>

#include "allocation_counter.h"
#include "expose/exporter.h"
#include "fakes.h"
#include "fixture_tree.h"
#include "readings.h"
#include "requires.h"

namespace {

std::atomic<std::uint64_t> open_count = 0;

int count_open(int dir, const char* path, int flags, mode_t mode) {
  ++open_count;
  return static_cast<int>(::syscall(SYS_openat, dir, path, flags, mode));
}

}  // namespace

// Stand before libc's, for the whole test program.
// NOLINTBEGIN(cert-dcl50-cpp,readability-inconsistent-declaration-parameter-name)
extern "C" {
int open(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
  va_end(list);
  return count_open(AT_FDCWD, path, flags, mode);
}
int openat(int dir, const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
  va_end(list);
  return count_open(dir, path, flags, mode);
}
}
// NOLINTEND(cert-dcl50-cpp,readability-inconsistent-declaration-parameter-name)

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

TEST(Opens, AreCounted) {
  const auto before = open_count.load();
  EXPECT_TRUE(open_file("/proc/self/stat", O_RDONLY));
  EXPECT_GT(open_count, before);
}

/// The real files, the process table, the flight recorder and every encoder: after the first
/// looks nothing is opened and nothing allocated.
TEST(SteadyState, OpensNothingAndAllocatesNothing) {
  const auto location = cgroup::locate(FileRoot());
  OOMDRILL_REQUIRE(location, "no memory cgroup", "run it on a Linux with cgroups");
  auto source = open_cgroup(FileRoot(), *location, {});
  OOMDRILL_REQUIRE(source, source.error().line(), "run it in a memory cgroup that can be read");
  test::FixtureTree tree;
  // Processes of others come and go here: a table of this test's own.
  tree.file("/c/cgroup.procs", "20\n").file("/proc/loadavg", "0 0 0 1/8 20\n");
  tree.file("/proc/20/cmdline", "x");
  tree.file(
      "/proc/20/stat", "20 (x) S" + [] {
        std::string zeros;
        for (int i = 0; i < 48; ++i) zeros += " 0";
        return zeros;
      }());
  auto ring = RingFile::open(tree.path() + "/flight", RingFile::kLeastSize);
  ASSERT_TRUE(ring);
  fake::NullSink sink;
  ManualClock clock;
  telemetry::Emitter emitter(*telemetry::choose_encoder("emf", false, true), {}, sink, 8);
  telemetry::Emitter recorder(*telemetry::choose_encoder("json", false, false), {}, *ring, 0);
  Policy policy;
  policy.max_events_per_minute = 30;
  Monitor monitor(**source, policy, emitter, clock, std::nullopt);
  monitor.watch_processes(ProcessTable(tree.root(), "/c"));
  monitor.record(recorder, *ring);
  monitor.start({});
  const auto look = [&] {
    clock.sleep_until(monitor.deadline());
    monitor.tick();
  };
  for (int i = 0; i < 3; ++i) look();
  const auto opens = open_count.load();
  const auto allocations = test::allocations();
  for (int i = 0; i < 300; ++i) {
    look();
    if (i % 50 == 0) monitor.wake();
  }
  const auto allocated = test::allocations() - allocations;
  EXPECT_EQ(open_count.load() - opens, 0U);
  EXPECT_EQ(allocated, 0U);
  EXPECT_GT(recorder.emitted(), 300U);
}

/// A scraper's request, and the textfile, which alone opens something: its own next version.
TEST(Exposing, AllocatesNothing) {
  fake::NullSink sink;
  fake::Rig rig(sink);
  rig.monitor.start({});
  test::FixtureTree tree;
  tree.file("/keep", "");
  auto file = Exporter::open({tree.path() + "/x.prom", {}}, std::chrono::seconds(1));
  ASSERT_TRUE(file) << file.error().line();
  std::vector<char> out(kMostExposition);
  const auto allocations = test::allocations();
  std::size_t size = 0;
  for (int i = 0; i < 10; ++i) size = rig.monitor.expose(out);
  file->finish(rig.monitor);
  EXPECT_EQ(test::allocations() - allocations, 0U);
  EXPECT_GT(size, 100U);
}

}  // namespace
}  // namespace oomdrill::probe
