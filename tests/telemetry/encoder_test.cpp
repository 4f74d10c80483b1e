#include "telemetry/encoder.h"

#include <gtest/gtest.h>

#include <string>

#include "sample_events.h"

namespace oomdrill::telemetry {
namespace {

TEST(ChooseEncoder, FollowsWhereItWritesTo) {
  EXPECT_EQ(choose_encoder("auto", true, true)->name, "text");
  EXPECT_EQ(choose_encoder("auto", true, false)->name, "text");
  EXPECT_EQ(choose_encoder("auto", false, true)->name, "emf");
  EXPECT_EQ(choose_encoder("auto", false, false)->name, "json");
}

TEST(ChooseEncoder, TakesANameFirst) {
  for (const Encoder& encoder : encoders()) {
    EXPECT_EQ(choose_encoder(encoder.name, true, true)->encode, encoder.encode);
  }
}

TEST(ChooseEncoder, NamesThoseThatThereAre) {
  const auto result = choose_encoder("xml", false, false);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().line(), "'xml' is no output format; use one of auto, text, json, emf");
}

Context with_namespace(std::string name) {
  Context context;
  context.metric_namespace = std::move(name);
  return context;
}

Context with_dimension(std::string name, std::string value) {
  Context context;
  context.dimension_sets = {{{std::move(name), std::move(value)}}};
  return context;
}

TEST(Validate, TakesWhatCloudWatchTakes) {
  EXPECT_TRUE(validate(Context{}));
  EXPECT_TRUE(validate(sample_context()));
  EXPECT_TRUE(validate(with_namespace("My Team/Memory.v2:#_-")));
  EXPECT_TRUE(validate(with_namespace(std::string(256, 'a'))));
  EXPECT_TRUE(validate(with_dimension(std::string(250, 'n'), std::string(1024, 'v'))));
}

TEST(Validate, SaysWhichRuleIsBroken) {
  const auto line = [](const Context& context) {
    const auto result = validate(context);
    return result ? std::string("valid") : result.error().line();
  };
  EXPECT_NE(line(with_namespace("AWS/ECS")).find("reserved"), std::string::npos);
  EXPECT_NE(line(with_namespace("")).find("blank"), std::string::npos);
  EXPECT_NE(line(with_namespace("  ")).find("blank"), std::string::npos);
  EXPECT_NE(line(with_namespace("a,b")).find("only letters"), std::string::npos);
  EXPECT_NE(line(with_namespace(std::string(257, 'a'))).find("256"), std::string::npos);
  EXPECT_NE(line(with_dimension("", "v")).find("name is blank"), std::string::npos);
  EXPECT_NE(line(with_dimension(":n", "v")).find("begins with"), std::string::npos);
  EXPECT_NE(line(with_dimension("n", " ")).find("value ' ' is blank"), std::string::npos);
  EXPECT_NE(line(with_dimension("n", "\xC3\xA9")).find("ASCII"), std::string::npos);
  EXPECT_NE(line(with_dimension(std::string(251, 'n'), "v")).find("250"), std::string::npos);
  EXPECT_NE(line(with_dimension("n", std::string(1025, 'v'))).find("1024"), std::string::npos);
  Context many;
  many.dimension_sets.emplace_back();
  for (int i = 0; i < 31; ++i) many.dimension_sets[0].emplace_back("n" + std::to_string(i), "v");
  EXPECT_NE(line(many).find("31 dimensions"), std::string::npos);
  Context contradicting;
  contradicting.dimension_sets = {{{"n", "a"}}, {{"n", "b"}}};
  EXPECT_NE(line(contradicting).find("two values"), std::string::npos);
}

}  // namespace
}  // namespace oomdrill::telemetry
