#include "expose/exposition.h"

#include <gtest/gtest.h>

#include "../fakes.h"

namespace oomdrill::probe {
namespace {

std::string text_of(const Exposed& state, std::size_t room = kMostExposition) {
  std::string out(room, '\0');
  out.resize(write_exposition(state, out));
  return out;
}

/// The value of the metric, "" where there is none.
std::string value_of(const std::string& text, const std::string& name) {
  const auto at = text.find("\noomprobe_" + name + " ");
  if (at == std::string::npos) return {};
  const auto from = at + name.size() + 11;
  return text.substr(from, text.find('\n', from) - from);
}

TEST(Exposition, TellsWhatIsKnownAndNothingElse) {
  fake::FakeSource source;
  Reading reading;
  ASSERT_TRUE(source.read(reading));
  reading.sample.own.oom_kill = 3;
  Exposed state;
  state.reading = &reading;
  state.looked_at = WallTime(std::chrono::milliseconds(1'700'000'000'250));
  state.events = 17;
  state.cpu_s = 0.021;
  const std::string text = text_of(state);
  EXPECT_EQ(value_of(text, "memory_used_bytes"), std::to_string(10 * fake::kMiB));
  EXPECT_EQ(value_of(text, "oom_kills_total"), "3");
  EXPECT_EQ(value_of(text, "events_total"), "17");
  EXPECT_EQ(value_of(text, "process_cpu_seconds_total"), "0.021");
  EXPECT_EQ(value_of(text, "last_look_timestamp_seconds"), "1700000000.25");
  EXPECT_EQ(text.find("pressure_some"), std::string::npos) << "there is no PSI here";
  EXPECT_EQ(text.find("target_info"), std::string::npos) << "nobody has named it";
  EXPECT_EQ(text.find("workload_exit_code"), std::string::npos) << "it runs";
  EXPECT_TRUE(text.ends_with('\n'));
}

TEST(Exposition, LabelsAreEscapedAndTheEndIsToldWithItsReason) {
  const Reading reading;
  telemetry::Context context;
  context.members = {{"cluster", "a\"b\\c\nd\xff"}, {"service", "shop"}};
  Exposed state;
  state.reading = &reading;
  state.context = &context;
  state.verdict = "oom_killed";
  state.exit_code = 137;
  const std::string text = text_of(state);
  EXPECT_NE(text.find("oomprobe_target_info{cluster=\"a\\\"b\\\\c_d_\",service=\"shop\"} 1\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("oomprobe_workload_exit_code{verdict=\"oom_killed\"} 137\n"),
            std::string::npos);
  EXPECT_EQ(text.find("memory_used_bytes"), std::string::npos) << "nothing could be read";
}

TEST(Exposition, WhatDoesNotFitIsLeftOutWhole) {
  fake::FakeSource source;
  Reading reading;
  ASSERT_TRUE(source.read(reading));
  Exposed state;
  state.reading = &reading;
  const std::string whole = text_of(state);
  for (std::size_t room = 0; room < whole.size(); ++room) {
    const std::string part = text_of(state, room);
    ASSERT_LE(part.size(), room);
    ASSERT_TRUE(part.empty() || part.ends_with('\n')) << part;
    for (std::size_t at = 0; at < part.size(); at = part.find('\n', at) + 1) {
      ASSERT_TRUE(part.compare(at, 2, "# ") == 0 || part.compare(at, 9, "oomprobe_") == 0) << part;
    }
  }
}

}  // namespace
}  // namespace oomdrill::probe
