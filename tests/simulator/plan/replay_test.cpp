#include "replay.h"

#include <gtest/gtest.h>

#include "steps.h"
#include "tree.h"

namespace oomdrill::plan {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string folder() { return oomdrill::test::tests_folder() + "/simulator/plan/replay/"; }

std::string error_of(std::string_view text) {
  const auto rows = parse_replay(text, "curve.csv");
  return rows ? "" : rows.error().line();
}

TEST(ParseReplay, RowsCountFromTheFirst) {
  const auto rows = parse_replay("100.5,1000\n101,3000\r\n\n# why\n 103 , 2KiB \n104,500", "x");
  ASSERT_TRUE(rows) << rows.error().line();
  ASSERT_EQ(rows->size(), 4u);
  EXPECT_EQ((*rows)[0].at.count(), 0);
  EXPECT_EQ((*rows)[0].bytes, 0u);
  EXPECT_EQ((*rows)[1].at, milliseconds(500));
  EXPECT_EQ((*rows)[1].bytes, 2000u);
  EXPECT_EQ((*rows)[2].bytes, 1048u);
  EXPECT_EQ((*rows)[3].at, milliseconds(3500));
  EXPECT_EQ((*rows)[3].bytes, 0u);  // below the first
}

TEST(ParseReplay, TakesDatesAndAHeader) {
  const auto rows = parse_replay(
      "Timestamp,Value\n2026-11-24T23:59:59.5Z,1\n2026-11-25T00:00:01Z,1000001\n", "x");
  ASSERT_TRUE(rows) << rows.error().line();
  EXPECT_EQ(rows->back().at, milliseconds(1500));
  EXPECT_EQ(rows->back().bytes, 1'000'000u);
}

TEST(ParseReplay, SaysWhereAndWhat) {
  EXPECT_EQ(error_of("time,bytes\n1,2\nsoon,3\n"),
            "curve.csv:3: 'soon' is no time; write rows of time,bytes, time in seconds or as "
            "2026-11-24T11:04:34Z");
  EXPECT_TRUE(error_of("1,2\n2,much\n").starts_with("curve.csv:2: 'much' is no size"));
  EXPECT_TRUE(error_of("1,2\n2,-3\n").starts_with("curve.csv:2: '-3' is negative"));
  EXPECT_TRUE(error_of("1,2\n2\n").starts_with("curve.csv:2: '' is no size"));
  EXPECT_EQ(error_of("2,2\n1,3\n"), "curve.csv:2: goes back in time; sort the rows by time");
  EXPECT_EQ(error_of("2,2\n2026-11-24T11:04:34Z,3\n"),
            "curve.csv:2: the time is of another form than above");
  EXPECT_EQ(error_of("1,2\n"), "curve.csv: has fewer than two rows; write rows of time,bytes");
  EXPECT_EQ(error_of(""), "curve.csv: has fewer than two rows; write rows of time,bytes");
  for (const char* time : {"nan", "inf", "1e30", "-1", "99999999999"}) {
    const std::string text = "1,2\n" + std::string(time) + ",3\n";
    EXPECT_TRUE(error_of(text).starts_with("curve.csv:2: '")) << error_of(text);
  }
}

TEST(ParseReplay, EndsWithTheKillThatWasRecorded) {
  const std::string samples =
      R"({"event":"memory.sample","time":"2026-11-24T11:04:30Z","used_bytes":1000,"oom_kills":3})"
      "\n"
      R"({"event":"memory.sample","time":"2026-11-24T11:04:34Z","used_bytes":5000,"oom_kills":3})"
      "\n"
      R"({"event":"memory.sample","time":"2026-11-24T11:04:36Z","used_bytes":100,"oom_kills":4})"
      "\n";
  const auto kill = [](std::string_view survived) {
    return fmt::format(R"({{"event":"memory.oom_kill","time":"2026-11-24T11:04:36Z",)"
                       R"("used_bytes":5000,"limit_bytes":8000,"survived":{}}})"
                       "\n",
                       survived);
  };
  const auto rows = parse_replay(samples + kill("false"), "x");
  ASSERT_TRUE(rows) << rows.error().line();
  // The last sample, what came between it and the kill, and not what the kill left.
  ASSERT_EQ(rows->size(), 4u);
  EXPECT_EQ((*rows)[1].bytes, 4000u);
  EXPECT_EQ((*rows)[2].at, seconds(6));
  EXPECT_EQ((*rows)[2].bytes, 4000u);
  EXPECT_EQ((*rows)[3].at, seconds(6));
  EXPECT_EQ((*rows)[3].bytes, 8000u);
  // One that was survived is no end.
  EXPECT_EQ(parse_replay(samples + kill("true"), "x")->size(), 3u);
}

TEST(ParseReplay, ReadsARecordingOfOurOwn) {
  // Between what the workload prints, cut lines and events without a size.
  const auto rows = parse_replay(
      R"(booting
{"event":"probe.started","time":"2026-11-24T11:00:00.000Z","seq":1}
{"event":"memory.sample","time":"2026-11-24T11:00:01.000Z","used_bytes":1000}
out of line{"event":"memory.sample","time":"2026-11-24T11:00:02.000Z","used_bytes":5000}
{"event":"leak.progress","time":"2026-11-24T11:00:02.500Z","live_bytes":77}
{"event":"memory.sample","time":"2026-11-24T11:00:01.500Z","used_bytes":9}
{"event":"memory.sample","time":"later","used_bytes":9}
{"event":"memory.sample","time":"2026-11-24T11:00:03.000Z","used_bytes":-9}
{"event":"memory.sample","time":"2026-11-24T11:00:03.000Z","used_byt)",
      "x");
  ASSERT_TRUE(rows) << rows.error().line();
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ(rows->back().at, seconds(1));
  EXPECT_EQ(rows->back().bytes, 4000u);
}

TEST(ParseReplay, TakesLiveBytesWhereNothingElseIs) {
  const auto rows = parse_replay(
      "{\"event\":\"leak.progress\",\"time\":\"2026-11-24T11:00:00Z\",\"live_bytes\":10}\n"
      "{\"event\":\"leak.progress\",\"time\":\"2026-11-24T11:00:07Z\",\"live_bytes\":30}\n",
      "x");
  ASSERT_TRUE(rows) << rows.error().line();
  EXPECT_EQ(rows->back().bytes, 20u);
  EXPECT_EQ(error_of("{\"event\":\"probe.started\",\"time\":\"2026-11-24T11:00:00Z\"}"),
            "curve.csv: fewer than two events have a time and used_bytes or live_bytes; give a "
            "recording of oomprobe or leaksim as JSON lines");
}

TEST(Replay, ReenactsTheFile) {
  const auto plan = test::make("replay:file=" + folder() + "incident.csv,speed=10");
  Totals totals;
  Nanoseconds last{0};
  std::uint64_t after_first = 0;
  while (const auto step = plan->next()) {
    totals.apply(*step);
    last = step->due;
    if (last <= seconds(1)) after_first = totals.live();
  }
  EXPECT_EQ(after_first, 1u << 20);
  EXPECT_EQ(last, seconds(3));
  EXPECT_EQ(totals.live(), 30u << 20);
  EXPECT_EQ(totals.allocated(), 40u << 20);  // 10 of them were given back in between
}

TEST(Replay, SaysWhatIsWrongWithItsFile) {
  const auto error = [](std::string_view text) {
    const auto plan = make_plan(text, {}, 1);
    return plan ? "" : plan.error().line();
  };
  EXPECT_EQ(error("replay"), "replay: file: has to be given; write file=PATH");
  EXPECT_EQ(error("replay:file=/nonexistent/recording"),
            "replay: file: /nonexistent/recording: cannot open: No such file or directory");
  const std::string bad = folder() + "backwards.csv";
  EXPECT_EQ(error("replay:file=" + bad),
            "replay: file: " + bad + ":3: goes back in time; sort the rows by time");
  EXPECT_TRUE(error("replay:file=" + folder() + "incident.csv,speed=0")
                  .starts_with("replay: speed: '0' is no whole number"));
}

}  // namespace
}  // namespace oomdrill::plan
