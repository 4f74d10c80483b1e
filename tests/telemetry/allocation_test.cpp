// The loop of the probe must go on where nothing can be allocated: neither building, encoding nor
// emitting an event may.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>

#include "allocation_counter.h"
#include "sample_events.h"
#include "telemetry/sink.h"

namespace oomdrill::telemetry {
namespace {

Event extreme() {
  Event event("test.extreme", kSampleTime);
  event.real("a_bytes", 1e300).real("a_bytes_per_s", -1e300).real("a_percent", 1e300);
  event.real("a_s", 1e300).real("b_s", 9998.5 * 3600).real("a_us", -1e300);
  event.real("c", 1e300).real("d", 5e-324).real("e", std::nan("")).real("f_s", HUGE_VAL);
  event.number("b_bytes", std::numeric_limits<std::uint64_t>::max());
  event.real("b_bytes_per_s", 9.99e14).real("b_percent", 9.99e14);
  return event;
}

TEST(Allocation, IsCountedAtAll) {
  const auto before = test::allocations();
  const auto block = std::make_unique<int>(1);
  EXPECT_GT(test::allocations(), before);
#ifndef OOMDRILL_SANITIZED
  const auto between = test::allocations();
  void* volatile plain = std::malloc(10);
  std::free(plain);
  EXPECT_GT(test::allocations(), between);
#endif
}

class NoAllocation : public testing::TestWithParam<std::string_view> {};

TEST_P(NoAllocation, InEncodeAndEmit) {
  const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  FdSink sink(null, std::chrono::milliseconds(1));
  FdSink broken(-1, std::chrono::milliseconds(1));
  const Encoder encoder = *choose_encoder(GetParam(), false, false);
  Emitter emitter(encoder, sample_context(), sink);
  Emitter stuck(encoder, sample_context(), broken, 2);
  auto events = every_event();
  events.push_back(extreme());
  const std::string filler(5000, '\x01');
  events.push_back(Event("probe.warning", kSampleTime).text("message", filler).real("n", 1));
  const auto before = test::allocations();
  for (const Event& event : events) {
    emitter.emit(event);
    stuck.emit_important(event);
    Event copy("memory.sample", event.time());
    add_sample(copy).metric("oom_killed", 0, Unit::count);
    emitter.emit(copy);
  }
  EXPECT_EQ(test::allocations() - before, 0u);
  EXPECT_EQ(emitter.emitted(), 2 * events.size());
  EXPECT_EQ(stuck.held(), 2u);
  ::close(null);
}

INSTANTIATE_TEST_SUITE_P(Encoders, NoAllocation, testing::Values("text", "json", "emf"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace oomdrill::telemetry
