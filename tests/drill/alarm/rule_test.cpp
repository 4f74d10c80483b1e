#include "alarm/rule.h"

#include <gtest/gtest.h>

namespace oomdrill::alarm {
namespace {

bool holds(std::string_view text) {
  const auto rule = Rule::parse(text);
  EXPECT_TRUE(rule) << text << ": " << rule.error().line();
  return rule && rule->holds([](std::string_view name) {
    if (name == "bad" || name == "a \"b\" (c)") return State::alarm;
    return name == "gone" ? State::insufficient_data : State::ok;
  });
}

TEST(Rule, HoldsAsItReads) {
  EXPECT_TRUE(holds("ALARM(bad)"));
  EXPECT_TRUE(holds("  alarm ( \"bad\" ) "));
  EXPECT_FALSE(holds("OK(bad)"));
  EXPECT_TRUE(holds("INSUFFICIENT_DATA('gone')"));
  EXPECT_TRUE(holds("ALARM(arn:aws:cloudwatch:eu-central-1:123456789012:alarm:bad)"));
  const std::string_view quoted = R"x(ALARM("a \"b\" (c)"))x";
  EXPECT_TRUE(holds(quoted));
  EXPECT_TRUE(holds("NOT NOT ALARM(bad)"));
  EXPECT_FALSE(holds("NOT(ALARM(bad) OR OK(bad))"));
  EXPECT_TRUE(holds("TRUE AND NOT FALSE"));
}

TEST(Rule, NotBindsClosestThenAndThenOr) {
  EXPECT_TRUE(holds("TRUE OR TRUE AND FALSE"));
  EXPECT_FALSE(holds("(TRUE OR TRUE) AND FALSE"));
  EXPECT_TRUE(holds("NOT FALSE OR TRUE"));
  EXPECT_FALSE(holds("NOT (FALSE OR TRUE)"));
}

TEST(Rule, CountsHowManyAreInAState) {
  // bad is in ALARM, good is OK, gone has no data.
  EXPECT_TRUE(holds("AT_LEAST(1, ALARM, (good, bad))"));
  EXPECT_FALSE(holds("AT_LEAST(2, ALARM, (good, bad, gone))"));
  EXPECT_TRUE(holds("AT_LEAST(2, NOT OK, (good, \"bad\", gone))"));
  EXPECT_TRUE(holds("at_least(66%, not ok, (good, bad, gone))"));
  EXPECT_FALSE(holds("AT_LEAST(67%, NOT OK, (good, bad, gone))"));
  EXPECT_TRUE(holds("NOT AT_LEAST(100%, ALARM, (bad, good)) AND ALARM(bad)"));
  EXPECT_TRUE(
      holds("AT_LEAST(1, ALARM, (arn:aws:cloudwatch:eu-central-1:123456789012:alarm:bad))"));
  const auto rule = Rule::parse("AT_LEAST(2, ALARM, (c, a, c)) OR OK(a)");
  ASSERT_TRUE(rule);
  EXPECT_EQ(rule->alarms(), (std::vector<std::string>{"c", "a"}));
  for (const char* wrong :
       {"AT_LEAST", "AT_LEAST(many, ALARM, (a))", "AT_LEAST(1 ALARM, (a))", "AT_LEAST(1, RED, (a))",
        "AT_LEAST(1, ALARM, a)", "AT_LEAST(1, ALARM, ())", "AT_LEAST(1, ALARM, (a,))",
        "AT_LEAST(-1, ALARM, (a))", "AT_LEAST(1, ALARM, (a)"}) {
    EXPECT_FALSE(Rule::parse(wrong)) << wrong;
  }
}

TEST(Rule, NamesItsAlarmsOnce) {
  const auto rule = Rule::parse("ALARM(b) OR ALARM(a) AND NOT OK(\"b\")");
  ASSERT_TRUE(rule);
  EXPECT_EQ(rule->alarms(), (std::vector<std::string>{"b", "a"}));
}

TEST(Rule, SaysWhereItIsWrong) {
  const auto where = [](std::string_view text) {
    const auto rule = Rule::parse(text);
    EXPECT_FALSE(rule) << text;
    return rule ? "" : rule.error().line();
  };
  EXPECT_EQ(where("ALARM(a) NOR ALARM(b)"),
            "expected AND, OR or the end at character 10 of the rule");
  EXPECT_NE(where("").find("character 1 "), std::string::npos);
  EXPECT_NE(where("ALARM").find("expected ( and"), std::string::npos);
  EXPECT_NE(where("ALARM()").find("without a name"), std::string::npos);
  EXPECT_NE(where("ALARM(\"a").find("has no end"), std::string::npos);
  EXPECT_NE(where("(ALARM(a)").find("expected )"), std::string::npos);
  EXPECT_NE(where("ALARM(a) AND").find("expected ALARM"), std::string::npos);
  EXPECT_NE(where(std::string(200, '(')).find("deeper than 100"), std::string::npos);
  EXPECT_NE(where(std::string(20'000, ' ')).find("20000 characters"), std::string::npos);
}

}  // namespace
}  // namespace oomdrill::alarm
