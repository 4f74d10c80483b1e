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

TEST(LiveLine, ShowsShapeUsageRatesAndTimeToOom) {
  EXPECT_EQ(
      live_line("linear", growing(), Doing::growing, 200),
      "linear  [#####...............]   25.0 %  16.0 MiB of 64.0 MiB  1.00 MB/s  of 1.00 MB/s  "
      "OOM in 48.0 s  12.0 MiB live  12.0 s");
  State held = growing();
  held.target = 16 << 20;
  EXPECT_EQ(live_line("linear", held, Doing::holding, 200),
            "linear  [#####...............]   25.0 %  16.0 MiB of 64.0 MiB  holding 12.0 MiB  "
            "for 16.0 MiB  12.0 s");
  EXPECT_EQ(
      live_line("burst:size=1MB", held, Doing::released, 200),
      "burst:size=1MB  [#####...............]   25.0 %  16.0 MiB of 64.0 MiB  all given back  "
      "12.0 s");
}

TEST(LiveLine, FitsAnyWidth) {
  for (std::size_t width = 0; width < 120; ++width) {
    const std::string line = live_line("linear", growing(), Doing::growing, width);
    EXPECT_TRUE(line.size() < width || line.empty()) << width;
  }
  EXPECT_EQ(live_line("linear", growing(), Doing::growing, 32), " 25.0 %  16.0 MiB of 64.0 MiB");
}

TEST(LiveLine, SaysWhenItIsBehind) {
  State state = growing();
  state.debt = 50'000;  // half a step: no news
  EXPECT_EQ(live_line("linear", state, Doing::growing, 200).find("behind"), std::string::npos);
  state.debt = 5 << 20;
  state.lost = 1 << 20;
  EXPECT_NE(
      live_line("linear", state, Doing::growing, 200).find("5.0 MiB behind  1.0 MiB given up"),
      std::string::npos);
}

TEST(Summary, TellsTheWhole) {
  const Start start{.pattern = "linear",
                    .kind = "anon",
                    .until = "25%",
                    .until_bytes = 16 << 20,
                    .basis = "current"};
  EXPECT_EQ(summary(start, growing(), 17 << 20, "until"),
            "\nended      until after 12.0 s: linear, anon memory\n"
            "grown      12.0 MiB, 12.0 MiB of it live at the end\n"
            "rate       1.00 MB/s of 1.00 MB/s asked\n"
            "usage      16.0 MiB of 64.0 MiB (25.0 %), peak seen 17.0 MiB\n"
            "target     25% is 16.0 MiB by current\n");
}

TEST(LiveLine, DoesWithoutALimit) {
  State state = growing();
  state.limit.reset();
  EXPECT_EQ(live_line("linear", state, Doing::growing, 200),
            "linear  16.0 MiB used  1.00 MB/s  of 1.00 MB/s  12.0 MiB live  12.0 s");
}

TEST(ClearingSink, ClearsTheRowAndWritesTheLineByOneWrite) {
  struct : telemetry::Sink {
    std::vector<std::string> writes;
    bool write(std::span<const char> line) override {
      writes.emplace_back(line.begin(), line.end());
      return true;
    }
  } kept;
  ClearingSink sink(kept);
  EXPECT_TRUE(sink.write(std::string_view("one\n")));
  EXPECT_TRUE(sink.write(std::string_view("two\n")));
  EXPECT_EQ(kept.writes, (std::vector<std::string>{"\r\x1b[Kone\n", "\r\x1b[Ktwo\n"}));
}

}  // namespace
}  // namespace oomdrill::simulator
