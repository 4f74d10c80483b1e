#include "plan/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>

#include "base/file.h"
#include "steps.h"
#include "tree.h"

namespace oomdrill::plan {
namespace {

/// A curve that replay can read: the one parameter that has no default.
std::string replay_file() {
  return oomdrill::test::tests_folder() + "/simulator/plan/replay/incident.csv";
}

/// The pattern with what has to be given.
std::string given(const Pattern& pattern) {
  const bool replays = pattern.name == "replay";
  return std::string(pattern.name) + (replays ? ":file=" + replay_file() : "");
}

// ---- the contract, over the table

TEST(Table, NamesAreUniqueAndLeaveOutWhatEveryPatternTakes) {
  std::set<std::string_view> names;
  for (const Pattern& pattern : patterns()) {
    EXPECT_TRUE(names.insert(pattern.name).second) << pattern.name;
    EXPECT_EQ(pattern.name.find_first_of(":;,= "), std::string_view::npos) << pattern.name;
    std::set<std::string_view> parameters = {kFor.name};
    for (const Parameter& parameter : pattern.parameters) {
      EXPECT_TRUE(parameters.insert(parameter.name).second) << pattern.name << parameter.name;
      EXPECT_FALSE(parameter.help.empty()) << pattern.name << parameter.name;
      EXPECT_FALSE(parameter.value.empty()) << pattern.name << parameter.name;
    }
  }
}

class EachPattern : public testing::TestWithParam<std::size_t> {
 protected:
  [[nodiscard]] const Pattern& pattern() const { return patterns()[GetParam()]; }
  /// What has to be given, and one more.
  [[nodiscard]] Settings settings(const Parameter& parameter, const char* value) const {
    Settings all;
    if (pattern().name == "replay") all["file"] = replay_file();
    all[std::string(parameter.name)] = value;
    return all;
  }
};

TEST_P(EachPattern, IsMadeFromItsDefaults) {
  EXPECT_NE(test::make(given(pattern())), nullptr);
  EXPECT_FALSE(pattern().help.empty());
  for (const Parameter& parameter : pattern().parameters) {
    EXPECT_EQ(parameter.default_value.empty(), parameter.name == "file") << parameter.name;
  }
}

TEST_P(EachPattern, SpelledOutDefaultsChangeNothing) {
  std::string text = given(pattern());
  for (const Parameter& parameter : pattern().parameters) {
    if (parameter.default_value.empty()) continue;
    text += text.find(':') == std::string::npos ? ":" : ",";
    text += std::string(parameter.name) + "=" + std::string(parameter.default_value);
  }
  EXPECT_EQ(test::curve(text, 100), test::curve(given(pattern()), 100));
}

TEST_P(EachPattern, RefusesNonsenseInEachParameterByName) {
  for (const Parameter& parameter : pattern().parameters) {
    for (const char* value : {"nonsense", "-1", "-1MB/s", "nan", "inf", "1e30", "", " ", "1MiBs",
                              "99999999999999999999999999TB", "0x10"}) {
      const auto plan = pattern().make(settings(parameter, value), 1);
      // A rate has no largest value: what it stands still at is tested with the ramp.
      if (plan && parameter.value == "RATE") {
        EXPECT_EQ(std::string(value).front(), '9') << parameter.name << value;
        continue;
      }
      ASSERT_FALSE(plan) << parameter.name << "=" << value;
      EXPECT_TRUE(plan.error().where.starts_with(parameter.name)) << plan.error().line();
      EXPECT_FALSE(plan.error().what.empty());
    }
    // 0 may have a meaning; where it has none, the error names it too.
    const auto zero = pattern().make(settings(parameter, "0"), 1);
    EXPECT_TRUE(zero || zero.error().where.starts_with(parameter.name)) << parameter.name;
  }
}

TEST_P(EachPattern, IsDeterministicUnderASeed) {
  const std::string text = given(pattern());
  EXPECT_EQ(test::curve(text, 3000, 42), test::curve(text, 3000, 42));
}

TEST_P(EachPattern, NeverGoesBackInTimeAndGrows) {
  const auto plan = test::make(given(pattern()));
  Nanoseconds last{0};
  std::uint64_t growth_sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto step = plan->next();
    if (!step) break;
    ASSERT_GE(step->due, last) << i;
    last = step->due;
    growth_sum += growth(step->action);
  }
  EXPECT_EQ(growth_sum > 0, pattern().name != "hold");
}

TEST_P(EachPattern, FreesBlocksOnlyWhereItSaysSo) {
  const auto plan = test::make(given(pattern()) + (pattern().needs_blocks ? ":rate=16MB/s" : ""));
  bool blocks = false;
  for (int i = 0; i < 10'000; ++i) {
    const auto step = plan->next();
    if (!step) break;
    blocks = blocks || (!std::holds_alternative<Grow>(step->action) &&
                        !std::holds_alternative<Shrink>(step->action));
  }
  EXPECT_EQ(blocks, pattern().needs_blocks);
}

TEST_P(EachPattern, KeepsItsNominalRate) {
  const auto plan = test::make(given(pattern()));
  const auto rate = plan->nominal_rate();
  if (!rate) return;
  // Those that climb and rest are off by a part of a period: the longer, the less.
  const bool rests = pattern().name == "staircase";
  Totals totals;
  Nanoseconds due{0};
  for (int i = 0; i < 10'000; ++i) {
    const auto step = plan->next();
    ASSERT_TRUE(step);
    totals.apply(*step);
    due = step->due;
  }
  EXPECT_NEAR(static_cast<double>(totals.allocated()) / to_seconds(due) / *rate, 1,
              rests ? 1e-3 : 1e-4);
}

TEST_P(EachPattern, EndsAfterItsLengthAndNotBefore) {
  std::string text = given(pattern());
  text += (text.find(':') == std::string::npos ? ":" : ",") + std::string("for=7s");
  const auto plan = test::make(text);
  Nanoseconds last{0};
  for (int i = 0; i < 10'000; ++i) {
    const auto step = plan->next();
    if (!step) break;
    last = step->due;
  }
  EXPECT_EQ(last, std::chrono::seconds(7));
}

INSTANTIATE_TEST_SUITE_P(Table, EachPattern, testing::Range<std::size_t>(0, patterns().size()),
                         [](const auto& each) {
                           std::string name(patterns()[each.param].name);
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// ---- curves, as files

class Golden : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(Golden, CurveIsAsRecorded) {
  const auto [file, text] = GetParam();
  const std::string path = oomdrill::test::tests_folder() + "/simulator/plan/golden/" + file;
  const std::string curve = test::curve(text, 24);
  if (std::getenv("OOMDRILL_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << curve;
    return;
  }
  const auto expected = read_file(path);
  ASSERT_TRUE(expected) << expected.error().line();
  EXPECT_EQ(curve, *expected);
}

INSTANTIATE_TEST_SUITE_P(
    Curves, Golden,
    testing::Values(
        std::pair("linear.txt", "linear"), std::pair("linear_uneven.txt", "linear:rate=1234567/s"),
        std::pair("burst.txt", "burst:size=1MiB,interval=2500ms"),
        std::pair("burst_jitter.txt", "burst:size=1MiB,interval=2500ms,jitter=50%"),
        std::pair("staircase.txt", "staircase:step=64KiB,dwell=10s,rate=1MB/s"),
        std::pair("exponential.txt", "exponential:from=64KiB,doubling=1s"),
        std::pair("sawtooth.txt", "sawtooth:rate=1MB/s,grow=80KiB,floor=16KiB,leak=10KiB"),
        std::pair("cache_fill.txt", "cache-fill:fill=100KiB,rate=1MB/s,leak=4KiB/s"),
        std::pair("random_walk.txt", "random-walk:step=20ms,volatility=500KiB"),
        std::pair("hold.txt", "hold:for=90m"),
        std::pair("fragment.txt", "fragment:block=1KiB,step=1KiB,round=16KiB,keep=4"),
        std::pair("comb.txt", "comb:block=1KiB,refill=1500,fill=16KiB,keep=4"),
        std::pair("shift.txt", "shift:block=1KiB,larger=50%,round=16KiB,keep=4"),
        std::pair("lru.txt", "lru:cache=128KiB,block=512,next=1KiB,turn=64KiB,rate=10MB/s"),
        std::pair("phases.txt",
                  "linear:rate=100KiB/s,for=100ms;hold:for=1s;comb:block=1KiB,refill=2KiB,"
                  "fill=8KiB,keep=4,for=20ms;comb:block=1KiB,refill=2KiB,fill=8KiB,keep=4")),
    [](const auto& each) {
      const std::string file = each.param.first;
      return file.substr(0, file.find('.'));
    });

// ---- names

TEST(ParsePattern, UnknownNamesListTheKnownOnes) {
  const auto pattern = parse_pattern("saw");
  ASSERT_FALSE(pattern);
  EXPECT_TRUE(pattern.error().line().starts_with("unknown pattern 'saw'; choose linear, burst, "))
      << pattern.error().line();
  EXPECT_TRUE(pattern.error().line().ends_with(", shift or lru")) << pattern.error().line();
  const auto parameter = parse_pattern("burst:size=1MiB,rate=1MB/s");
  ASSERT_FALSE(parameter);
  EXPECT_EQ(parameter.error().line(),
            "burst: unknown parameter 'rate'; choose size, interval or jitter");
  EXPECT_FALSE(parse_pattern(""));
}

TEST(ParsePattern, AParameterNeedsAValue) {
  const auto pattern = parse_pattern("burst:size");
  ASSERT_FALSE(pattern);
  EXPECT_EQ(pattern.error().line(), "burst: parameter 'size' has no value; write size=VALUE");
}

TEST(MakePlan, TextBeatsDefaultsAndForeignDefaultsArePassedOver) {
  const Settings defaults = {{"rate", "2MB/s"}};
  EXPECT_EQ(test::make("linear", 1, defaults)->nominal_rate(), 2e6);
  EXPECT_EQ(test::make("linear:rate=3MB/s", 1, defaults)->nominal_rate(), 3e6);
  EXPECT_NE(test::make("burst", 1, defaults), nullptr);
}

TEST(MakePlan, ErrorsNamePatternAndParameter) {
  const auto plan = make_plan("linear:rate=0", {}, 1);
  ASSERT_FALSE(plan);
  EXPECT_TRUE(plan.error().line().starts_with("linear: rate: '0'")) << plan.error().line();
}

TEST(MakePlan, OfSeveralPhasesTheErrorNamesWhichOne) {
  const auto line = [](std::string_view text) {
    const auto plan = make_plan(text, {}, 1);
    return plan ? std::string() : plan.error().line();
  };
  EXPECT_TRUE(
      line("linear:for=1s;burst:size=x").starts_with("phase 2: burst: size: 'x' is no size"))
      << line("linear:for=1s;burst:size=x");
  EXPECT_TRUE(line("linear:for=1s;nix").starts_with("phase 2: unknown pattern 'nix'"));
  EXPECT_TRUE(line("linear;").starts_with("phase 2: unknown pattern ''"));
  EXPECT_EQ(line("linear;hold"),
            "phase 1: linear: has no end, and a phase follows it; add for=TIME");
  EXPECT_EQ(line("linear:rate=max,for=1s"),
            "linear: rate max has no timetable that could end it; give a rate, such as rate=1GB/s");
  EXPECT_EQ(line("linear:for=0"), "linear: for: '0' is shorter than 1ms");
  EXPECT_EQ(line("linear:for=1000000d"), "linear: for: '1000000d' is longer than 100 years");
}

TEST(SpellOut, WritesDefaultsWhereTheyCount) {
  const Settings rate = {{"rate", "2MB/s"}};
  EXPECT_EQ(spell_out("linear", rate), "linear:rate=2MB/s");
  EXPECT_EQ(spell_out("linear:rate=1MB/s", rate), "linear:rate=1MB/s");
  EXPECT_EQ(spell_out("burst", rate), "burst");
  EXPECT_EQ(spell_out("linear:", rate), "linear:rate=2MB/s");
  EXPECT_EQ(spell_out("linear:for=1s;hold:for=1s;comb:keep=3", rate),
            "linear:for=1s,rate=2MB/s;hold:for=1s;comb:keep=3,rate=2MB/s");
}

// ---- totals

TEST(Totals, ShrinkTakesOnlyWhatGrowMade) {
  Totals totals;
  totals.apply({Nanoseconds(0), Grow{100}});
  totals.apply({Nanoseconds(0), Allocate{10, 16, 0}});
  totals.apply({Nanoseconds(1), Shrink{1000}});
  EXPECT_EQ(totals.live(), 160u);
  EXPECT_EQ(totals.allocated(), 260u);
}

TEST(Totals, FreeMostKeepsByPosition) {
  Totals totals;
  totals.apply({Nanoseconds(0), Allocate{6, 16, 3}});
  totals.apply({Nanoseconds(0), Allocate{4, 16, 3}});
  totals.apply({Nanoseconds(0), FreeMost{3, 4, 1}});  // positions 1, 5 and 9
  EXPECT_EQ(totals.live(), 3 * 16u);
  totals.apply({Nanoseconds(0), FreeMost{3, 2, 1}});  // of these the second
  EXPECT_EQ(totals.live(), 16u);
  totals.apply({Nanoseconds(0), FreeMost{3, 2, 1}});
  EXPECT_EQ(totals.live(), 0u);
  totals.apply({Nanoseconds(0), FreeMost{9, 2, 0}});
  EXPECT_EQ(totals.live(), 0u);
}

TEST(Totals, FreeSampledTakesAtMostWhatThereIs) {
  Totals totals;
  totals.apply({Nanoseconds(0), Allocate{6, 16, 3}});
  totals.apply({Nanoseconds(0), FreeSampled{3, 4, 5, 1}});
  EXPECT_EQ(totals.live(), 2 * 16u);
  totals.apply({Nanoseconds(0), FreeSampled{3, 4, 5, 1}});
  EXPECT_EQ(totals.live(), 0u);
  totals.apply({Nanoseconds(0), FreeSampled{3, 4, 5, 1}});
  EXPECT_EQ(totals.live(), 0u);
}

std::vector<std::uint64_t> positions(const FreeSampled& rule, std::uint64_t total) {
  SampledPositions sampled(rule, total);
  std::vector<std::uint64_t> all;
  while (const auto position = sampled.next()) all.push_back(*position);
  return all;
}

TEST(SampledPositions, AreAscendingAndExactlyAsMany) {
  for (const std::uint64_t total : {1U, 2U, 7U, 1000U}) {
    for (const std::uint64_t count : {0U, 1U, 2U, 6U, 7U, 999U, 1000U, 5000U}) {
      for (const std::uint64_t sample : {1U, 5U, 1000U}) {
        const auto all = positions({0, count, sample, total + count}, total);
        ASSERT_EQ(all.size(), std::min(count, total));
        for (std::size_t i = 0; i < all.size(); ++i) {
          ASSERT_LT(all[i], total);
          if (i > 0) {
            ASSERT_LT(all[i - 1], all[i]);
          }
        }
      }
    }
  }
}

TEST(SampledPositions, LieAsTheLeastOfSoManyDraws) {
  // The mean of the least of n uniform draws from [0, 1) is 1 / (n + 1).
  for (const std::uint64_t sample : {1U, 2U, 5U, 10U}) {
    double sum = 0;
    int drawn = 0;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      for (const std::uint64_t each : positions({0, 50, sample, seed}, 1'000'000)) {
        sum += static_cast<double>(each) / 1e6;
        ++drawn;
      }
    }
    EXPECT_NEAR(sum / drawn, 1.0 / static_cast<double>(sample + 1), 2e-3) << sample;
  }
}

TEST(SampledPositions, TheSeedMatters) {
  EXPECT_NE(positions({0, 10, 5, 1}, 1000), positions({0, 10, 5, 2}, 1000));
  EXPECT_EQ(positions({0, 10, 5, 1}, 1000), positions({0, 10, 5, 1}, 1000));
}

TEST(Kept, CountsThePositions) {
  EXPECT_EQ(kept(0, {0, 4, 0}), 0u);
  EXPECT_EQ(kept(1, {0, 4, 0}), 1u);
  EXPECT_EQ(kept(4, {0, 4, 3}), 1u);
  EXPECT_EQ(kept(5, {0, 4, 0}), 2u);
  EXPECT_EQ(kept(3, {0, 4, 3}), 0u);
}

}  // namespace
}  // namespace oomdrill::plan
