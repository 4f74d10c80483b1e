#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "sample_events.h"
#include "telemetry/sink.h"

namespace oomdrill::telemetry {
namespace {

/// A reader that pauses.
class Gate final : public Sink {
 public:
  bool write(std::span<const char> line) override {
    ++offered;
    if (!open) return false;
    text.append(line.data(), line.size());
    return true;
  }
  [[nodiscard]] std::vector<std::pair<std::uint64_t, std::string>> lines() const {
    std::vector<std::pair<std::uint64_t, std::string>> result;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
      const auto json = nlohmann::json::parse(line);
      result.emplace_back(json["seq"], json["event"]);
    }
    return result;
  }
  bool open = true;
  int offered = 0;
  std::string text;
};

Encoder json() { return *choose_encoder("json", false, false); }
Event named(std::string_view name) { return {name, kSampleTime}; }
using Lines = std::vector<std::pair<std::uint64_t, std::string>>;

TEST(Emitter, NumbersFromOne) {
  Gate gate;
  Emitter emitter(json(), {}, gate);
  EXPECT_TRUE(emitter.emit(named("a.a")));
  EXPECT_TRUE(emitter.emit(named("b.b")));
  EXPECT_EQ(gate.lines(), (Lines{{1, "a.a"}, {2, "b.b"}}));
  EXPECT_EQ(emitter.emitted(), 2u);
  EXPECT_EQ(emitter.dropped(), 0u);
}

TEST(Emitter, LeavesAGapWhereALineWasDropped) {
  Gate gate;
  Emitter emitter(json(), {}, gate);
  emitter.emit(named("a.a"));
  gate.open = false;
  EXPECT_FALSE(emitter.emit(named("b.b")));
  gate.open = true;
  emitter.emit(named("c.c"));
  EXPECT_EQ(gate.lines(), (Lines{{1, "a.a"}, {3, "c.c"}}));
  EXPECT_EQ(emitter.dropped(), 1u);
}

TEST(Emitter, HoldsAVerdictAndWritesItFirst) {
  Gate gate;
  Emitter emitter(json(), {}, gate);
  gate.open = false;
  EXPECT_FALSE(emitter.emit(named("memory.sample")));
  EXPECT_FALSE(emitter.emit_important(named("memory.oom_kill")));
  EXPECT_FALSE(emitter.emit(named("memory.sample")));
  EXPECT_EQ(emitter.held(), 1u);
  EXPECT_EQ(emitter.dropped(), 2u);
  gate.open = true;
  EXPECT_TRUE(emitter.emit(named("memory.sample")));
  EXPECT_EQ(gate.lines(), (Lines{{2, "memory.oom_kill"}, {4, "memory.sample"}}));
  EXPECT_EQ(emitter.held(), 0u);
  EXPECT_EQ(emitter.emitted(), 2u);
}

TEST(Emitter, LinesOfLessWeightMakeRoomForAVerdict) {
  Gate gate;
  Emitter emitter(json(), {}, gate, 3);
  gate.open = false;
  emitter.emit_important(named("a.threshold"));
  emitter.emit_verdict(named("b.kill"));
  emitter.emit_important(named("c.threshold"));
  emitter.emit_important(named("d.threshold"));
  EXPECT_EQ(emitter.room(), 2u);
  emitter.emit_important(named("e.threshold"));  // the oldest threshold gives way
  emitter.emit_verdict(named("f.exited"));
  emitter.emit_important(named("g.stopped"));
  EXPECT_EQ(emitter.room(), 1u);
  EXPECT_EQ(emitter.dropped(), 4u);
  gate.open = true;
  EXPECT_TRUE(emitter.flush());
  EXPECT_EQ(gate.lines(), (Lines{{2, "b.kill"}, {6, "f.exited"}, {7, "g.stopped"}}));
}

TEST(Emitter, OnlyAVerdictPushesOutAVerdict) {
  Gate gate;
  Emitter emitter(json(), {}, gate, 2);
  gate.open = false;
  emitter.emit_verdict(named("a.kill"));
  emitter.emit_verdict(named("b.kill"));
  emitter.emit_important(named("c.threshold"));
  EXPECT_EQ(emitter.room(), 0u);
  emitter.emit_verdict(named("d.kill"));
  EXPECT_EQ(emitter.dropped(), 2u);
  gate.open = true;
  emitter.flush();
  EXPECT_EQ(gate.lines(), (Lines{{2, "b.kill"}, {4, "d.kill"}}));
}

TEST(Emitter, HoldsTheLatest) {
  Gate gate;
  Emitter emitter(json(), {}, gate, 3);
  gate.open = false;
  for (const char* name : {"a.a", "b.b", "c.c", "d.d", "e.e"}) emitter.emit_important(named(name));
  EXPECT_EQ(emitter.held(), 3u);
  EXPECT_EQ(emitter.dropped(), 2u);
  EXPECT_FALSE(emitter.flush());
  gate.open = true;
  EXPECT_TRUE(emitter.flush());
  EXPECT_EQ(gate.lines(), (Lines{{3, "c.c"}, {4, "d.d"}, {5, "e.e"}}));
  EXPECT_TRUE(emitter.flush());
  EXPECT_EQ(emitter.emitted(), 3u);
}

// Each refused write costs the sink's patience: at most one an event.
TEST(Emitter, AsksAStuckSinkOnceAnEvent) {
  Gate gate;
  Emitter emitter(json(), {}, gate);
  gate.open = false;
  for (int i = 0; i < 4; ++i) emitter.emit_important(named("a.a"));
  gate.offered = 0;
  emitter.emit(named("b.b"));
  EXPECT_EQ(gate.offered, 1);
}

TEST(Emitter, MayHoldNothing) {
  Gate gate;
  Emitter emitter(json(), {}, gate, 0);
  gate.open = false;
  EXPECT_FALSE(emitter.emit_important(named("a.a")));
  EXPECT_EQ(emitter.held(), 0u);
  EXPECT_EQ(emitter.dropped(), 1u);
  EXPECT_TRUE(emitter.flush());
}

TEST(Emitter, AccountsForEveryLine) {
  Gate gate;
  Emitter emitter(json(), {}, gate, 2);
  std::uint64_t bits = 12345;
  for (int i = 0; i < 2000; ++i) {
    bits = bits * 6364136223846793005U + 1442695040888963407U;
    gate.open = (bits >> 62U) != 0;
    if ((bits >> 61U & 1U) != 0) {
      emitter.emit(named("a.a"));
    } else {
      emitter.emit_important(named("b.b"));
    }
  }
  EXPECT_EQ(emitter.emitted() + emitter.dropped() + emitter.held(), 2000u);
  const auto lines = gate.lines();
  EXPECT_EQ(lines.size(), emitter.emitted());
  for (std::size_t i = 1; i < lines.size(); ++i) ASSERT_LT(lines[i - 1].first, lines[i].first);
}

}  // namespace
}  // namespace oomdrill::telemetry
