#include "report.h"

#include <gtest/gtest.h>

namespace oomdrill::simulator {
namespace {

State growing() {
  State state{.elapsed = std::chrono::seconds(12), .live = 12 << 20, .allocated = 12 << 20};
  state.used = 16 << 20;
  state.limit = 64 << 20;
  state.achieved_rate = 1e6;
  state.requested_rate = 1e6;
  state.growth = 1 << 20;
  return state;
}

TEST(State, DerivesPercentHeadroomAndTimeToOom) {
  const State state = growing();
  EXPECT_EQ(state.used_percent(), 25.0);
  EXPECT_EQ(state.headroom(), 48u << 20);
  EXPECT_EQ(state.eta_oom(), 48.0);
}

TEST(State, SaysNothingItDoesNotKnow) {
  State state = growing();
  state.growth = 0.0;
  EXPECT_EQ(state.eta_oom(), std::nullopt);
  state.growth = -5.0;
  EXPECT_EQ(state.eta_oom(), std::nullopt);
  state = growing();
  state.limit.reset();
  EXPECT_EQ(state.used_percent(), std::nullopt);
  EXPECT_EQ(state.headroom(), std::nullopt);
  EXPECT_EQ(state.eta_oom(), std::nullopt);
  state = growing();
  state.used = 65 << 20;
  EXPECT_EQ(state.headroom(), 0u);
}

TEST(LiveLine, ShowsWhatMattersFirst) {
  EXPECT_EQ(live_line(growing(), false, 200),
            " 25.0 %  16.0 MiB of 64.0 MiB  OOM in 48.0 s  1.00 MB/s  12.0 MiB "
            "live  12.0 s  "
            "[#####...............]");
  EXPECT_EQ(live_line(growing(), true, 200),
            " 25.0 %  16.0 MiB of 64.0 MiB  holding 12.0 MiB  12.0 s  "
            "[#####...............]");
}

TEST(LiveLine, FitsAnyWidth) {
  for (std::size_t width = 0; width < 120; ++width) {
    const std::string line = live_line(growing(), false, width);
    EXPECT_TRUE(line.size() < width || line.empty()) << width;
  }
  EXPECT_EQ(live_line(growing(), false, 32), " 25.0 %  16.0 MiB of 64.0 MiB");
}

TEST(LiveLine, SaysWhenItIsBehind) {
  State state = growing();
  state.debt = 50'000;  // half a step: no news
  EXPECT_EQ(live_line(state, false, 200).find("behind"), std::string::npos);
  state.debt = 5 << 20;
  state.lost = 1 << 20;
  EXPECT_NE(live_line(state, false, 200).find("5.0 MiB behind  1.0 MiB given up"),
            std::string::npos);
}

TEST(LiveLine, DoesWithoutALimit) {
  State state = growing();
  state.limit.reset();
  EXPECT_EQ(live_line(state, false, 200), "16.0 MiB used  1.00 MB/s  12.0 MiB live  12.0 s");
}

}  // namespace
}  // namespace oomdrill::simulator
