// Once it runs, the leak's own loop takes nothing from the heap that it
// measures: every allocation of this test program is counted.
#include <gtest/gtest.h>

#include "allocation_counter.h"
#include "machine.h"

namespace oomdrill::simulator {
namespace {

TEST(Allocation, LinearGrowthMakesNone) {
  test::FakeMachine machine;
  std::uint64_t at_start = 0;
  std::uint64_t at_end = 0;
  // FakeMemory allocates for blocks up to a page only; these steps are larger.
  machine.on_write = [&](std::uint64_t written) {
    if (written == 1'000'000) at_start = oomdrill::test::allocations();
    if (written == 8'000'000) at_end = oomdrill::test::allocations();
  };
  EXPECT_EQ(machine.run({"--duration", "10s", "--until", "90%"}), 0);
  EXPECT_GT(at_start, 0u);
  EXPECT_EQ(at_end - at_start, 0u);
}

}  // namespace
}  // namespace oomdrill::simulator
