// What the patterns that are straight lines between corners have in common, and each one's shape.
#include <gtest/gtest.h>

#include <cmath>

#include "polyline.h"
#include "steps.h"

namespace oomdrill::plan {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// What a plan holds at a time.
std::uint64_t live_at(std::string_view text, Nanoseconds at, std::uint64_t seed = 7) {
  const auto plan = test::make(text, seed);
  Totals totals;
  for (auto step = plan->next(); step && step->due <= at; step = plan->next()) totals.apply(*step);
  return totals.live();
}

class Corners final : public Polyline {
 public:
  using Polyline::Corner;
  explicit Corners(std::vector<Corner> corners) : corners_(std::move(corners)) {}

 private:
  std::optional<Corner> corner() override {
    if (next_ == corners_.size()) return std::nullopt;
    return corners_[next_++];
  }
  std::vector<Corner> corners_;
  std::size_t next_ = 0;
};

struct Walked {
  std::uint64_t live;
  Nanoseconds last;
  int steps;
};

Walked walk(std::vector<Corners::Corner> corners) {
  Corners plan(std::move(corners));
  Totals totals;
  Walked walked{0, Nanoseconds(0), 0};
  while (const auto step = plan.next()) {
    totals.apply(*step);
    EXPECT_GE(step->due, walked.last);
    walked.last = step->due;
    if (++walked.steps > 100'000) ADD_FAILURE() << "no end";
    if (walked.steps > 100'000) break;
  }
  walked.live = totals.live();
  return walked;
}

TEST(Polyline, MeetsItsCornersToTheByte) {
  const Walked walked = walk({{milliseconds(1005), 1'234'567},
                              {milliseconds(1005), 1'000'001},
                              {milliseconds(1999), 17},
                              {milliseconds(1999), 4'000'000'003}});
  EXPECT_EQ(walked.live, 4'000'000'003u);
  EXPECT_EQ(walked.last, milliseconds(1999));
  // 101 ticks up, a jump, 100 down, a jump.
  EXPECT_EQ(walked.steps, 101 + 1 + 100 + 1);
}

TEST(Polyline, ALineSlowerThanAPageATickTakesWholePages) {
  const Walked walked = walk({{seconds(10), 10 * 4096}});
  EXPECT_EQ(walked.steps, 10);
  const Walked flat = walk({{seconds(3600), 0}, {seconds(7200), 0}});
  EXPECT_EQ(flat.steps, 2);
}

TEST(Polyline, EndsWhereTimeGoesBack) {
  EXPECT_EQ(walk({{seconds(2), 100}, {seconds(1), 200}}).live, 100u);
}

TEST(Staircase, ClimbsRestsAndClimbs) {
  const std::string_view text = "staircase:step=10MB,dwell=8s,rate=5MB/s";
  EXPECT_EQ(live_at(text, seconds(1)), 5'000'000u);
  EXPECT_EQ(live_at(text, seconds(2)), 10'000'000u);
  EXPECT_EQ(live_at(text, seconds(10)), 10'000'000u);
  EXPECT_EQ(live_at(text, seconds(11)), 15'000'000u);
  EXPECT_EQ(live_at(text, seconds(1000)), 1'000'000'000u);
  EXPECT_EQ(live_at("staircase:step=10MB,dwell=8s", seconds(0)), 10'000'000u);
  EXPECT_EQ(live_at("staircase:step=10MB,dwell=8s", milliseconds(7999)), 10'000'000u);
  EXPECT_EQ(live_at("staircase:step=10MB,dwell=8s", seconds(8)), 20'000'000u);
}

TEST(Exponential, DoublesInEqualTimes) {
  const std::string_view text = "exponential:from=1MiB,doubling=5s";
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(live_at(text, seconds(5 * i)), std::uint64_t{1} << (20 + i));
    const double between = static_cast<double>(live_at(text, milliseconds(5000 * i + 2500)));
    EXPECT_NEAR(between / std::exp2(20.5 + i), 1, 3e-5) << i;
  }
}

TEST(Exponential, EndsBeforeAnythingOverflows) {
  const auto plan = test::make("exponential:from=1TiB,doubling=100ms");
  Totals totals;
  while (const auto step = plan->next()) totals.apply(*step);
  EXPECT_GT(totals.live(), std::uint64_t{1} << 61);
  EXPECT_LE(totals.live(), std::uint64_t{1} << 62);
}

TEST(Sawtooth, FallsToAFloorThatRises) {
  const std::string_view text = "sawtooth:rate=10MB/s,grow=20MB,floor=10MB,leak=5MB";
  EXPECT_EQ(live_at(text, milliseconds(2990)), 29'900'000u);
  EXPECT_EQ(live_at(text, seconds(3)), 15'000'000u);  // from 30 MB
  EXPECT_EQ(live_at(text, milliseconds(4990)), 34'900'000u);
  EXPECT_EQ(live_at(text, seconds(5)), 20'000'000u);
  EXPECT_EQ(live_at(text, seconds(7)), 25'000'000u);
}

TEST(Sawtooth, RefusesALeakThatReleasesNothing) {
  EXPECT_FALSE(make_plan("sawtooth:grow=1MiB,leak=1MiB", {}, 1));
  EXPECT_TRUE(make_plan("sawtooth:grow=1MiB,leak=0", {}, 1));
  EXPECT_FALSE(make_plan("sawtooth:rate=max", {}, 1));
}

TEST(CacheFill, FillsFastAndLeaksSlowly) {
  const std::string_view text = "cache-fill:fill=32MB,rate=16MB/s,leak=1MB/s";
  EXPECT_EQ(live_at(text, seconds(1)), 16'000'000u);
  EXPECT_EQ(live_at(text, seconds(2)), 32'000'000u);
  EXPECT_EQ(live_at(text, seconds(12)), 42'000'000u);
  EXPECT_EQ(live_at(text, seconds(7202)), 7'232'000'000u);
}

TEST(RandomWalk, DriftsInTheLongRun) {
  const double seconds_long = 1000;
  double sum = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    sum += static_cast<double>(live_at("random-walk", seconds(1000), seed));
  }
  // 20 walks: the standard error of the mean is 2 MiB · √1000 / √20 = 14.8 MB.
  EXPECT_NEAR(sum / 20, 1e6 * seconds_long, 4 * 14.8e6);
}

TEST(RandomWalk, GoesUpAndDownAndNeverBelowNothing) {
  const auto plan = test::make("random-walk:drift=0,volatility=1MiB,step=100ms");
  Totals totals;
  int ups = 0;
  int downs = 0;
  for (int i = 0; i < 5000; ++i) {
    const auto step = plan->next();
    const std::uint64_t before = totals.live();
    totals.apply(*step);
    if (const auto* shrink = std::get_if<Shrink>(&step->action)) {
      ASSERT_LE(shrink->bytes, before);
      ++downs;
    } else {
      ++ups;
    }
  }
  EXPECT_GT(ups, 1000);
  EXPECT_GT(downs, 1000);
  EXPECT_NE(live_at("random-walk", seconds(10), 1), live_at("random-walk", seconds(10), 2));
}

TEST(Phases, BeginWhenTheOneBeforeIsOver) {
  const std::string_view text =
      "linear:rate=1MB/s,for=10s;hold:for=5s;burst:size=8MB,interval=4s,for=9s;linear:rate=2MB/s";
  EXPECT_EQ(live_at(text, seconds(10)), 10'000'000u);
  EXPECT_EQ(live_at(text, seconds(15)), 10'000'000u);
  EXPECT_EQ(live_at(text, seconds(19)), 18'000'000u);
  EXPECT_EQ(live_at(text, seconds(24)), 26'000'000u);
  EXPECT_EQ(live_at(text, seconds(25)), 28'000'000u);
}

TEST(Phases, KeepTheirGroupsApart) {
  // Else the second comb's first FreeMost would thin out the first one's teeth.
  const std::string one = "comb:block=1KiB,fill=64KiB,keep=4,rate=1MB/s,for=130ms";
  EXPECT_EQ(live_at(one + ";" + one, seconds(1)), live_at(one, seconds(1)) * 2);
}

TEST(Phases, OnePhaseKeepsItsNominalRate) {
  EXPECT_EQ(test::make("linear:rate=3MB/s,for=1s")->nominal_rate(), 3e6);
  EXPECT_EQ(test::make("linear:rate=3MB/s,for=1s;hold")->nominal_rate(), std::nullopt);
}

}  // namespace
}  // namespace oomdrill::plan
