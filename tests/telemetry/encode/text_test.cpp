#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "encode/encoders.h"
#include "encode/text_layout.h"
#include "sample_events.h"
#include "tree.h"

namespace oomdrill::telemetry {
namespace {

using Json = nlohmann::json;

class EncodeText : public testing::Test {
 protected:
  EncodeText() {
    ::setenv("TZ", "UTC0", 1);
    ::tzset();
  }
  static std::string encode(const Event& event, std::size_t most = kMaxLine) {
    std::string line(most, '#');
    line.resize(encode_text(event, 7, sample_context(), line));
    return line;
  }
  static Event plain(std::string_view name) { return {name, kSampleTime}; }
};

TEST_F(EncodeText, ShowsTimeNameAndWhatIsUsed) {
  EXPECT_EQ(encode(plain("memory.sample")
                       .number("used_bytes", 64'277'709u)
                       .number("limit_bytes", 67'108'864u)
                       .real("used_percent", 95.78)),
            "11:04:34    memory.sample        used 61.3 MiB of 64.0 MiB (95.8 %)\n");
}

TEST_F(EncodeText, LeavesOutWhatIsAbsent) {
  EXPECT_EQ(encode(plain("memory.sample").number("used_bytes", 1024u)),
            "11:04:34    memory.sample        used 1.0 KiB\n");
}

TEST_F(EncodeText, MarksWhatSomeoneMustSee) {
  EXPECT_NE(encode(plain("memory.oom_kill").number("kills", 1u)).find(" !! memory.oom_kill"),
            std::string::npos);
  const auto exited = [](std::string_view verdict) {
    return encode(plain("workload.exited").text("verdict", verdict).integer("exit_code", 1));
  };
  EXPECT_NE(exited("oom_killed").find(" !! workload"), std::string::npos);
  EXPECT_NE(exited("failed").find(" !  workload"), std::string::npos);
  EXPECT_EQ(exited("completed").find('!'), std::string::npos);
  const auto crossed = [](std::string_view direction) {
    return encode(
        plain("memory.threshold").text("direction", direction).real("threshold_percent", 95));
  };
  EXPECT_NE(crossed("up").find("!  memory.threshold     above 95.0 %"), std::string::npos);
  EXPECT_NE(crossed("down").find("   memory.threshold     back below 95.0 %"), std::string::npos);
  const auto stopped = [](std::uint64_t dropped) {
    return encode(plain("probe.stopped").text("reason", "signal").number("dropped", dropped));
  };
  EXPECT_NE(stopped(3).find("!  probe.stopped        signal, 3 dropped"), std::string::npos);
  EXPECT_EQ(stopped(0).find('!'), std::string::npos);
}

TEST_F(EncodeText, TellsWhoDiedAndWhoLives) {
  auto event = plain("memory.oom_kill").text("scope", "ancestor_limit").number("kills", 1u);
  event.begin("last_sample").number("used_bytes", 1u << 20).end();
  event.begin("victim").integer("pid", 12).text("name", "worker").end();
  event.boolean("survived", true);
  EXPECT_EQ(encode(event),
            "11:04:34 !! memory.oom_kill      1 killed by the limit of an ancestor, victim worker "
            "(pid 12), last seen at 1.0 MiB; the workload lives on\n");
}

TEST_F(EncodeText, ShowsAllFieldsOfAnEventWithoutALayout) {
  auto event = plain("test.event");
  event.number("used_bytes", 1536u).real("cpu_percent", 12.345).real("age_s", 90.04);
  event.number("stall_us", 1500u).real("rate_bytes_per_s", -2e6).number("hits", 12u);
  event.begin("inner").boolean("yes", true).begin("deep").end().text("t", "a b").end();
  event.metric("Reserved", 2048, Unit::bytes).real("nothing", std::nan(""));
  EXPECT_EQ(
      encode(event),
      "11:04:34    test.event           used_bytes=1.5 KiB, cpu_percent=12.3 %, age_s=90.0 s, "
      "stall_us=2 ms, rate_bytes_per_s=-2.00 MB/s, hits=12, inner={yes=true, deep={}, t=a b}, "
      "Reserved=2.0 KiB, nothing=unknown\n");
}

TEST_F(EncodeText, LetsNoControlSequenceThrough) {
  const std::string line =
      encode(plain("probe.warning").text("message", "a\x1b[31m\nb\x7f\xC2\x9B"));
  EXPECT_NE(line.find("a\\u001b[31m\\nb\\u007f\\u009b\n"), std::string::npos) << line;
}

TEST_F(EncodeText, ShowsLocalTime) {
  ::setenv("TZ", "TEST-2", 1);
  ::tzset();
  EXPECT_EQ(encode(plain("test.event")).substr(0, 8), "13:04:34");
}

TEST_F(EncodeText, CutsALongLineAtACharacter) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "\xC3\xA9";
  for (std::size_t most : {kMaxLine, kMaxLine - 1}) {
    const std::string line = encode(plain("probe.warning").text("message", text), most);
    EXPECT_LE(line.size(), most);
    ASSERT_TRUE(line.ends_with("\xA9...\n")) << line.substr(line.size() - 10);
  }
}

TEST_F(EncodeText, IsOneLineWhateverTheBuffer) {
  for (const Event& event : every_event()) {
    const std::size_t full = encode(event).size();
    for (std::size_t most = 0; most <= full + 4; ++most) {
      const std::string line = encode(event, most);
      ASSERT_LE(line.size(), most);
      if (most >= 4) {
        ASSERT_EQ(line.find('\n'), line.size() - 1);
      }
    }
  }
}

/// "used_bytes", "victim.pid": all that the schema knows of an event.
std::set<std::string> schema_fields(const Json& schema, const std::string& event) {
  std::set<std::string> fields;
  const auto& definitions = schema.at("$defs");
  for (const auto& [name, property] : definitions.at(event).at("properties").items()) {
    fields.insert(name);
    const auto definition = definitions.find(name);
    if (definition == definitions.end() || !definition->contains("properties")) continue;
    for (const auto& [inner, _] : definition->at("properties").items()) {
      fields.insert(name + "." + inner);
    }
  }
  return fields;
}

// A field that a layout misspells would show as `?`, or never.
TEST_F(EncodeText, LayoutsNameOnlyFieldsOfTheSchema) {
  std::ifstream file(test::tests_folder() + "/../docs/events.schema.json");
  const Json schema = Json::parse(file);
  std::set<std::string_view> seen;
  for (const Layout& layout : layouts()) {
    SCOPED_TRACE(layout.event);
    EXPECT_TRUE(seen.insert(layout.event).second);
    const auto fields = schema_fields(schema, std::string(layout.event));
    std::string all = std::string(layout.mark) + std::string(layout.text);
    if (all.find('@') != std::string::npos) all += kUsedPhrase;
    for (std::size_t at = 0; (at = all.find_first_of("{[", at)) != std::string::npos; ++at) {
      const auto end = all.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.", at + 1);
      if (all[at] == '{' || all[end] == '=' || all.compare(end, 2, "!=") == 0) {
        EXPECT_TRUE(fields.contains(all.substr(at + 1, end - at - 1))) << all.substr(at, end - at);
      }
    }
  }
}

TEST_F(EncodeText, HasALayoutForEveryEvent) {
  for (const Event& event : every_event()) {
    if (event.name() == "probe.doctor") continue;  // `oomprobe doctor` has a page of its own
    const auto all = layouts();
    EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const Layout& layout) {
      return layout.event == event.name();
    })) << event.name();
  }
}

}  // namespace
}  // namespace oomdrill::telemetry
