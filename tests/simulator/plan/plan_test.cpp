#include "plan/plan.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "steps.h"
#include "tree.h"

namespace oomdrill::plan {
namespace {

// ---- the contract, over the table

class EachPattern : public testing::TestWithParam<std::size_t> {
 protected:
  [[nodiscard]] const Pattern& pattern() const { return patterns()[GetParam()]; }
};

TEST_P(EachPattern, IsMadeFromItsDefaults) {
  EXPECT_TRUE(pattern().make({}, 1));
  EXPECT_FALSE(pattern().help.empty());
}

TEST_P(EachPattern, SpelledOutDefaultsChangeNothing) {
  std::string text(pattern().name);
  char separator = ':';
  for (const Parameter& parameter : pattern().parameters) {
    text += separator + std::string(parameter.name) + "=" + std::string(parameter.default_value);
    separator = ',';
  }
  EXPECT_EQ(test::curve(text, 100), test::curve(pattern().name, 100));
}

TEST_P(EachPattern, RefusesNonsenseInEachParameterByName) {
  for (const Parameter& parameter : pattern().parameters) {
    const auto plan = pattern().make({{std::string(parameter.name), "nonsense"}}, 1);
    ASSERT_FALSE(plan) << parameter.name;
    EXPECT_EQ(plan.error().where, parameter.name);
    EXPECT_FALSE(plan.error().what.empty());
  }
}

TEST_P(EachPattern, IsDeterministicUnderASeed) {
  EXPECT_EQ(test::curve(pattern().name, 3000, 42), test::curve(pattern().name, 3000, 42));
}

TEST_P(EachPattern, NeverGoesBackInTimeAndGrows) {
  const auto plan = test::make(pattern().name);
  Nanoseconds last{0};
  std::uint64_t growth_sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto step = plan->next();
    if (!step) break;
    ASSERT_GE(step->due, last) << i;
    last = step->due;
    growth_sum += growth(step->action);
  }
  EXPECT_GT(growth_sum, 0u);
}

TEST_P(EachPattern, KeepsItsNominalRate) {
  const auto plan = test::make(pattern().name);
  const auto rate = plan->nominal_rate();
  if (!rate) return;
  Totals totals;
  Nanoseconds due{0};
  for (int i = 0; i < 10'000; ++i) {
    const auto step = plan->next();
    ASSERT_TRUE(step);
    totals.apply(*step);
    due = step->due;
  }
  EXPECT_NEAR(static_cast<double>(totals.allocated()) / to_seconds(due) / *rate, 1, 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Table, EachPattern, testing::Range<std::size_t>(0, patterns().size()),
                         [](const auto& each) { return std::string(patterns()[each.param].name); });

// ---- curves, as files

class Golden : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(Golden, CurveIsAsRecorded) {
  const auto [file, text] = GetParam();
  const auto expected =
      read_file(oomdrill::test::tests_folder() + "/simulator/plan/golden/" + file);
  ASSERT_TRUE(expected) << expected.error().line();
  EXPECT_EQ(test::curve(text, 24), *expected);
}

INSTANTIATE_TEST_SUITE_P(
    Curves, Golden,
    testing::Values(std::pair("linear.txt", "linear"),
                    std::pair("linear_uneven.txt", "linear:rate=1234567/s"),
                    std::pair("burst.txt", "burst:size=1MiB,interval=2500ms"),
                    std::pair("fragment.txt", "fragment:block=1KiB,step=1KiB,round=16KiB,keep=4")),
    [](const auto& each) {
      const std::string file = each.param.first;
      return file.substr(0, file.find('.'));
    });

// ---- names

TEST(ParsePattern, UnknownNamesListTheKnownOnes) {
  const auto pattern = parse_pattern("sawtooth");
  ASSERT_FALSE(pattern);
  EXPECT_EQ(pattern.error().line(), "unknown pattern 'sawtooth'; choose linear, burst or fragment");
  const auto parameter = parse_pattern("burst:size=1MiB,rate=1MB/s");
  ASSERT_FALSE(parameter);
  EXPECT_EQ(parameter.error().line(), "burst: unknown parameter 'rate'; choose size or interval");
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

TEST(Kept, CountsThePositions) {
  EXPECT_EQ(kept(0, {0, 4, 0}), 0u);
  EXPECT_EQ(kept(1, {0, 4, 0}), 1u);
  EXPECT_EQ(kept(4, {0, 4, 3}), 1u);
  EXPECT_EQ(kept(5, {0, 4, 0}), 2u);
  EXPECT_EQ(kept(3, {0, 4, 3}), 0u);
}

}  // namespace
}  // namespace oomdrill::plan
