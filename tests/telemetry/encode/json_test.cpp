#include <gtest/gtest.h>

#include <array>
#include <clocale>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "encode/encoders.h"
#include "sample_events.h"

namespace oomdrill::telemetry {
namespace {

using Json = nlohmann::json;

std::string encode(const Event& event, const Context& context = {}, std::size_t most = kMaxLine,
                   Encode encoder = encode_json) {
  std::string line(most, '#');
  line.resize(encoder(event, 7, context, line));
  return line;
}

Event plain() { return {"test.event", kSampleTime}; }

/// The text of member "x" of a line that has nothing else.
std::string raw_x(const std::string& line) {
  const auto at = line.find(",\"x\":") + 5;
  return line.substr(at, line.size() - at - 2);
}

TEST(EncodeJson, BeginsWithEventTimeAndSeq) {
  EXPECT_EQ(encode(plain()),
            "{\"event\":\"test.event\",\"time\":\"2026-11-24T11:04:34.123Z\",\"seq\":7}\n");
}

TEST(EncodeJson, WritesEachTypeAndNestedObjects) {
  auto event = plain();
  event.text("text", "a")
      .number("big", std::numeric_limits<std::uint64_t>::max())
      .integer("low", std::numeric_limits<std::int64_t>::min())
      .boolean("yes", true)
      .boolean("no", false)
      .number("absent", std::optional<std::uint64_t>{})
      .begin("empty")
      .end()
      .begin("outer")
      .begin("inner")
      .integer("n", -1)
      .end()
      .integer("m", 2)
      .end()
      .metric("Metric", 1.5, Unit::bytes);
  const Json json = Json::parse(encode(event));
  EXPECT_EQ(json["text"], "a");
  EXPECT_EQ(json["big"].get<std::uint64_t>(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(json["low"].get<std::int64_t>(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(json["yes"], true);
  EXPECT_EQ(json["no"], false);
  EXPECT_FALSE(json.contains("absent"));
  EXPECT_EQ(json["empty"], Json::object());
  EXPECT_EQ(json["outer"], (Json{{"inner", {{"n", -1}}}, {"m", 2}}));
  EXPECT_EQ(json["Metric"], 1.5);
  EXPECT_FALSE(json.contains("_aws"));
}

TEST(EncodeJson, AppendsTheContext) {
  const Json json = Json::parse(encode(plain(), sample_context()));
  EXPECT_EQ(json["cluster"], "drills");
  EXPECT_EQ(json["task_id"], "8f03e41243824aea923aca126495f665");
  EXPECT_FALSE(json.contains("ClusterName"));
}

struct Number {
  double value;
  const char* text;
};

TEST(EncodeJson, WritesDoublesShortAndExactly) {
  for (const Number& number :
       {Number{93.1, "93.1"}, Number{0, "0"}, Number{-0.0, "0"}, Number{1e6, "1000000"},
        Number{-2.5, "-2.5"}, Number{0.1, "0.1"}, Number{0.0001, "0.0001"}, Number{1e-5, "1e-05"},
        Number{1e22, "1e+22"}, Number{9007199254740991, "9007199254740991"},
        Number{1.7976931348623157e308, "1.7976931348623157e+308"}, Number{5e-324, "5e-324"}}) {
    EXPECT_EQ(raw_x(encode(plain().real("x", number.value))), number.text);
  }
}

TEST(EncodeJson, ReadsBackEveryDoubleWhateverTheLocale) {
  // A comma for a point, where such a locale is installed; the encoder must not care.
  std::setlocale(LC_ALL, "de_DE.UTF-8");
  std::uint64_t bits = 88172645463325252U;
  for (int i = 0; i < 20000; ++i) {
    bits ^= bits << 13U;
    bits ^= bits >> 7U;
    bits ^= bits << 17U;
    double value = 0;
    static_assert(sizeof value == sizeof bits);
    std::memcpy(&value, &bits, sizeof value);
    if (i % 2 == 0) value = static_cast<double>(bits >> 11U) / 1e9;
    if (!std::isfinite(value)) continue;
    const Json json = Json::parse(encode(plain().real("x", value)));
    ASSERT_EQ(json["x"].get<double>(), value);
  }
  std::setlocale(LC_ALL, "C");
}

TEST(EncodeJson, WritesNullForWhatIsNotFinite) {
  for (const double value : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    EXPECT_EQ(raw_x(encode(plain().real("x", value))), "null");
    EXPECT_EQ(raw_x(encode(plain().metric("x", value, Unit::count))), "null");
  }
}

TEST(EncodeJson, EscapesWhatJsonDemands) {
  EXPECT_EQ(raw_x(encode(plain().text("x", "a\"b\\c/d"))), R"("a\"b\\c/d")");
  EXPECT_EQ(raw_x(encode(plain().text("x", "\n\r\t\b\x01\x1f\x7f"))),
            "\"\\n\\r\\t\\u0008\\u0001\\u001f\x7f\"");
  EXPECT_EQ(raw_x(encode(plain().text("x", std::string_view("a\0b", 3)))), R"("a\u0000b")");
  std::string all;
  for (int c = 0; c < 128; ++c) all.push_back(static_cast<char>(c));
  EXPECT_EQ(Json::parse(encode(plain().text("x", all)))["x"], all);
  EXPECT_EQ(Json::parse(encode(plain().integer("a \"name\"\n", 1)))["a \"name\"\n"], 1);
}

TEST(EncodeJson, KeepsUtf8) {
  for (const char* text : {"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x92\xA5", "\xED\x9F\xBF",
                           "\xEE\x80\x80", "\xF4\x8F\xBF\xBF", "\xC2\x80"}) {
    EXPECT_EQ(raw_x(encode(plain().text("x", text))), '"' + std::string(text) + '"');
  }
}

TEST(EncodeJson, ReplacesWhatIsNotUtf8) {
  const std::string r = "\xEF\xBF\xBD";
  const std::array<std::pair<std::string, std::string>, 10> cases = {{
      {"\x80", r},
      {"\xFF", r},
      {"a\xC3", "a" + r},                   // cut
      {"\xC3(", r + "("},                   // broken
      {"\xC0\xAF", r + r},                  // overlong
      {"\xE0\x80\xAF", r + r + r},          // overlong
      {"\xED\xA0\x80", r + r + r},          // a surrogate
      {"\xF4\x90\x80\x80", r + r + r + r},  // above U+10FFFF
      {"\xE2\x82z", r + "z"},               // one for a broken sequence
      {"\xF0\x9F\x92", r},
  }};
  for (const auto& [bad, good] : cases) {
    EXPECT_EQ(raw_x(encode(plain().text("x", bad))), '"' + good + '"');
  }
}

TEST(EncodeJson, LeavesOutTheLastFieldsWhereALineIsTooLong) {
  const std::string filler(1000, 'x');
  auto event = plain();
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) event.text(name, filler);
  const std::string line = encode(event, sample_context());
  EXPECT_LE(line.size(), kMaxLine);
  const Json json = Json::parse(line);
  EXPECT_EQ(json["truncated"], true);
  EXPECT_TRUE(json.contains("c"));
  EXPECT_FALSE(json.contains("d"));
  for (const auto& [name, value] : sample_context().members) EXPECT_EQ(json[name], value);
}

TEST(EncodeJson, ClosesTheObjectsThatACutLeavesOpen) {
  const std::string filler(1500, 'x');
  auto event = plain();
  event.begin("outer").text("a", filler).begin("inner").text("b", filler).text("c", filler);
  event.end().text("d", "lost").end().text("e", "lost too");
  const Json json = Json::parse(encode(event));
  EXPECT_EQ(json["truncated"], true);
  EXPECT_EQ(json["outer"]["inner"]["b"], filler);
  EXPECT_FALSE(json["outer"]["inner"].contains("c"));
  EXPECT_FALSE(json["outer"].contains("d"));
}

TEST(EncodeJson, ClosesWhatTheEventDidNotAndIgnoresOneCloseTooMany) {
  const Json open = Json::parse(encode(plain().begin("a").begin("b").integer("n", 1)));
  EXPECT_EQ(open["a"]["b"]["n"], 1);
  const Json closed = Json::parse(encode(plain().end().begin("a").end().end().integer("n", 1)));
  EXPECT_EQ(closed["n"], 1);
}

TEST(EncodeJson, SaysSoWhereTheEventItselfWasFull) {
  auto event = plain();
  for (std::size_t i = 0; i < Event::kCapacity; ++i) event.integer("n", 1);
  EXPECT_EQ(encode(event).find("truncated"), std::string::npos);
  event.integer("one more", 1);
  EXPECT_EQ(event.dropped(), 1u);
  EXPECT_EQ(Json::parse(encode(event))["truncated"], true);
}

// Every length: the cut falls between, before and within each kind of member.
TEST(EncodeJson, IsWholeWhateverTheBuffer) {
  for (const Encode encoder : {encode_json, encode_emf}) {
    for (const Event& event : every_event()) {
      const std::size_t full = encode(event, sample_context(), kMaxLine, encoder).size();
      for (std::size_t most = 0; most <= full; most += most < 200 ? 1 : 3) {
        const std::string line = encode(event, sample_context(), most, encoder);
        if (most < 19) {
          ASSERT_TRUE(line.empty() || line == "{\"truncated\":true}\n") << line;
          continue;
        }
        ASSERT_LE(line.size(), most);
        ASSERT_EQ(line.find('\n'), line.size() - 1) << line;
        const Json json = Json::parse(line, nullptr, false);
        ASSERT_TRUE(json.is_object()) << line;
        ASSERT_EQ(json.contains("truncated"), most < full) << line;
        for (const auto& metric :
             json.value(Json::json_pointer("/_aws/CloudWatchMetrics/0/Metrics"), Json::array())) {
          ASSERT_TRUE(json.contains(metric["Name"])) << line;
        }
      }
    }
  }
}

TEST(EncodeJson, KeepsTheContextBeforeTheFields) {
  const Event event = every_event().front();
  const std::size_t needed = encode(plain(), sample_context()).size() + 40;
  const Json json = Json::parse(encode(event, sample_context(), needed));
  EXPECT_EQ(json["launch_type"], "FARGATE");
  EXPECT_EQ(json["event"], event.name());
}

TEST(EncodeJson, CutsAContextThatDoesNotFit) {
  Context context;
  context.members = {{"cluster", "drills"}, {"huge", std::string(5000, 'x')}, {"after", "kept"}};
  const Json json = Json::parse(encode(plain().integer("n", 1), context));
  EXPECT_EQ(json["cluster"], "drills");
  EXPECT_FALSE(json.contains("huge"));
  EXPECT_EQ(json["after"], "kept");
  EXPECT_EQ(json["truncated"], true);
}

}  // namespace
}  // namespace oomdrill::telemetry
