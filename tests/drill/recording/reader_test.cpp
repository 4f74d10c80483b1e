#include "recording/reader.h"

#include <gtest/gtest.h>

#include "fixture_tree.h"

namespace oomdrill::recording {
namespace {

constexpr const char* kSample =
    R"({"event":"memory.sample","time":"2026-11-24T11:04:34.123Z","seq":1,"used_bytes":1024})";

struct Read {
  Counts counts;
  std::vector<Problem> problems;
  std::vector<std::string> events;
};

Read read(std::string_view text, std::size_t piece = std::string_view::npos) {
  Read result;
  Reader reader([&](const Record& record) { result.events.emplace_back(record.event()); });
  for (std::size_t at = 0; at < text.size(); at += std::min(piece, text.size() - at)) {
    reader.feed(text.substr(at, piece));
  }
  reader.finish();
  result.counts = reader.counts();
  result.problems = reader.problems();
  return result;
}

TEST(Reader, EveryWayOfCuttingTheInputReadsTheSame) {
  const std::string text = std::string("hello\n") + kSample + "\r\n\n" + kSample;
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    const Read result = read(text, piece);
    EXPECT_EQ(result.counts.lines, 4U) << piece;
    EXPECT_EQ(result.counts.events, 2U) << piece;
    EXPECT_EQ(result.counts.foreign, 2U) << piece;
    EXPECT_EQ(result.counts.broken, 0U) << piece;
  }
}

TEST(Reader, FieldsKeepTheirTypesAndAbsentIsAbsent) {
  bool seen = false;
  Reader reader([&](const Record& record) {
    seen = true;
    EXPECT_EQ(record.line(), 1U);
    EXPECT_EQ(record.event(), "memory.oom_kill");
    EXPECT_EQ(record.whole("kills"), 1U);
    EXPECT_EQ(record.whole("as_double"), 12U);
    EXPECT_EQ(record.whole("fraction"), std::nullopt);
    EXPECT_EQ(record.whole("negative"), std::nullopt);
    EXPECT_EQ(record.real("negative"), -1.0);
    EXPECT_EQ(record.real("kills"), 1.0);
    EXPECT_EQ(record.whole("last_sample.used_bytes"), 7U);
    EXPECT_EQ(record.whole("last_sample.absent"), std::nullopt);
    EXPECT_EQ(record.whole("absent.used_bytes"), std::nullopt);
    EXPECT_EQ(record.whole("kills.used_bytes"), std::nullopt);
    EXPECT_EQ(record.whole("victim"), std::nullopt);
    EXPECT_EQ(record.text("kills"), std::nullopt);
    EXPECT_EQ(record.text("victim.name"), "leak\"sim");
    EXPECT_EQ(record.boolean("survived"), true);
    EXPECT_EQ(record.whole("null"), std::nullopt);
    EXPECT_EQ(record.whole(""), std::nullopt);
    EXPECT_EQ(record.whole("."), std::nullopt);
  });
  reader.feed(
      R"({"event":"memory.oom_kill","time":"2026-11-24T11:04:34Z","kills":1,"as_double":12.0,)"
      R"("fraction":1.5,"negative":-1,"last_sample":{"used_bytes":7},)"
      R"("victim":{"name":"leak\"sim"},"survived":true,"null":null})"
      "\n");
  EXPECT_TRUE(seen);
}

TEST(Reader, AnEmfObjectIsTheSameEvent) {
  const Read result =
      read(R"({"_aws":{"Timestamp":1,"CloudWatchMetrics":[]},"event":"memory.sample",)"
           R"("time":"2026-11-24T11:04:34.123Z"})");
  EXPECT_EQ(result.events, std::vector<std::string>{"memory.sample"});
}

TEST(Reader, AnEventBehindHalfALineIsNotLost) {
  const Read result = read(std::string("Progress: 10%") + kSample + "\n");
  EXPECT_EQ(result.counts.events, 1U);
  EXPECT_EQ(result.counts.foreign, 0U);
}

TEST(Reader, ForeignLinesAreNoProblem) {
  const Read result = read(
      "plain\n"
      R"({"level":"info","msg":"an application's own JSON"})"
      "\n"
      R"({"event":"order.created","time":"2026-11-24T11:04:34.123Z"})"
      "\n"
      R"({"event":7})"
      "\n"
      "[1,2]\n\"text\"\n");
  EXPECT_EQ(result.counts.foreign, 6U);
  EXPECT_EQ(result.counts.broken, 0U);
}

TEST(Reader, BrokenLinesAreNamed) {
  const Read result =
      read(std::string(kSample) + "\n" + R"({"event":"memory.sample","time":"2026-1)" + "\n" +
           R"({"event":"memory.sample","time":"yesterday"})" + "\n" +
           R"({"event":"leak.stopped"})" + "\n" + kSample + "\n");
  EXPECT_EQ(result.counts.events, 2U);
  EXPECT_EQ(result.counts.broken, 3U);
  ASSERT_EQ(result.problems.size(), 3U);
  EXPECT_EQ(result.problems[0].line, 2U);
  EXPECT_EQ(result.problems[1].line, 3U);
  EXPECT_NE(result.problems[1].what.find("time"), std::string::npos);
  EXPECT_EQ(result.problems[2].line, 4U);
}

TEST(Reader, ProblemsAreKeptInBoundedNumber) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "{broken\n";
  const Read result = read(text);
  EXPECT_EQ(result.counts.broken, 1000U);
  EXPECT_EQ(result.problems.size(), Reader::kKeptProblems);
}

TEST(Reader, HostileLinesEndInAnAnswer) {
  const std::string deep = std::string(1 << 18, '[');
  const Read result =
      read(std::string("\0\0\n", 3) + R"({"event":"leak.started","x":")" + "\xff\xfe" + "\"}\n" +
           "{" + "\"event\":" + deep + "\n" + std::string(1, '\x80') + "\n" +
           R"({"event":"leak.x","n":1e999})" + "\n" + kSample + "\n");
  EXPECT_EQ(result.counts.lines, 6U);
  EXPECT_EQ(result.counts.events, 1U);
  EXPECT_EQ(result.counts.foreign, 2U);
  EXPECT_EQ(result.counts.broken, 3U);
}

TEST(Reader, AnOverlongLineIsSkippedWithoutBeingHeld) {
  Reader reader([](const Record&) {});
  reader.feed("{\"event\":\"");
  const std::string piece(64 << 10, 'x');
  for (int i = 0; i < 200; ++i) reader.feed(piece);
  reader.feed("\n");
  for (int i = 0; i < 200; ++i) reader.feed(piece);
  reader.feed(std::string("\n") + kSample + "\n");
  EXPECT_EQ(reader.counts().lines, 3U);
  EXPECT_EQ(reader.counts().broken, 1U);
  EXPECT_EQ(reader.counts().foreign, 1U);
  EXPECT_EQ(reader.counts().events, 1U);
  ASSERT_EQ(reader.problems().size(), 1U);
  EXPECT_NE(reader.problems()[0].what.find("longer than"), std::string::npos);
}

TEST(Reader, ReadsAFileAndNamesWhatItCannotOpen) {
  test::FixtureTree tree;
  tree.file("/drill.jsonl", std::string(kSample) + "\n" + kSample + "\n");
  Reader reader([](const Record&) {});
  ASSERT_TRUE(read_file(tree.path() + "/drill.jsonl", reader));
  EXPECT_EQ(reader.counts().events, 2U);
  const auto missing = read_file(tree.path() + "/absent.jsonl", reader);
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().line().find("absent.jsonl"), std::string::npos);
}

TEST(Time, ReadsWhatFormatTimeWrites) {
  for (const std::int64_t ms : {0LL, 1LL, 951'782'400'000LL, 1'795'518'274'123LL}) {
    const WallTime time{std::chrono::milliseconds(ms)};
    char text[25];
    format_time(time, text);
    EXPECT_EQ(parse_time(text), time) << text;
  }
}

TEST(Time, TakesAnyFractionAndNothingElse) {
  const WallTime second{std::chrono::seconds(1'795'518'274)};
  EXPECT_EQ(parse_time("2026-11-24T11:04:34Z"), second);
  EXPECT_EQ(parse_time("2026-11-24T11:04:34.5Z"), second + std::chrono::milliseconds(500));
  EXPECT_EQ(parse_time("2026-11-24T11:04:34.123456789123Z"), second + Nanoseconds(123'456'789));
  for (const char* text :
       {"", "2026-11-24", "2026-11-24T11:04:34", "2026-11-24T11:04:34.Z", "2026-13-24T11:04:34Z",
        "2026-02-30T11:04:34Z", "2026-11-24T24:04:34Z", "2026-11-24T11:60:34Z",
        "2026-11-24 11:04:34Z", "2026-11-24T11:04:34+01:00", "2026-11-24T11:04:34Zx",
        "9999-11-24T11:04:34Z", "-026-11-24T11:04:34Z"}) {
    EXPECT_EQ(parse_time(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace oomdrill::recording
