#include "recording/reader.h"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "fixture_tree.h"
#include "recording/sequence.h"

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

TEST(Reader, NumbersAreReadToTheLastBit) {
  for (const char* text : {"0",
                           "7",
                           "12345678",
                           "123456789",
                           "1234567890123456",
                           "12345678901234567",
                           "18446744073709551615",
                           "5.83",
                           "0.1",
                           "0.30000000000000004",
                           "8.148193359375",
                           "7932816.69773827",
                           "1234567.12345678",
                           "12345678.5",
                           "1e3",
                           "1.5E-7",
                           "-0",
                           "-1.25",
                           "9007199254740993.5",
                           "0.00000001"}) {
    std::optional<double> real;
    std::optional<std::uint64_t> whole;
    Reader reader([&](const Record& record) {
      real = record.real("n");
      whole = record.whole("n");
    });
    reader.feed(fmt::format(R"({{"event":"leak.x","time":"2026-11-24T11:04:34Z","n":{}}})", text));
    reader.finish();
    ASSERT_TRUE(real) << text;
    EXPECT_EQ(*real, std::strtod(text, nullptr)) << text;
    if (std::string_view(text).find_first_of(".eE-") == std::string_view::npos) {
      EXPECT_EQ(whole, std::strtoull(text, nullptr, 10)) << text;
    }
  }
  for (const char* text : {"01", "1.", ".5", "-", "-inf", "+1", "1x", "00.5", "1e", "1e999", "0x1",
                           "1234567890123456x", "1.5.5", "12:3", "-01", "tru", "nul"}) {
    EXPECT_EQ(
        read(fmt::format(R"({{"event":"leak.x","time":"2026-11-24T11:04:34Z","n":{}}})", text))
            .counts.broken,
        1U)
        << text;
  }
}

TEST(Reader, ALineLikeTheOneBeforeIsReadAsIfItWereTheFirst) {
  const std::string head = R"({"event":"memory.sample","time":"2026-11-24T11:04:34.123Z","seq":1,)";
  const std::string plain =
      head + R"("used_bytes":1024,"last_sample":{"used_bytes":7,"deep":{"a":1}},"empty":{},)" +
      R"("list":[1,{"a":2}],"name":"x","on":true,"none":null,"task_id":"t"})";
  std::vector<std::string> lines = {plain};
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string line = plain;
    const auto at = line.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    lines.push_back(line.replace(at, from.size(), to));
  };
  for (const auto& [from, to] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"1024", "2048"},
           {"1024", "20.5"},
           {"1024", "null"},
           {"1024", "\"text\""},
           {"1024", "01"},
           {"1024", "1..5"},
           {"1024", "-"},
           {"1024", "1024 "},
           {"1024", "tru"},
           {"1024", "[1]"},
           {"1024", "{}"},
           {"1024", "{\"a\":1}"},
           {"1024", ""},
           {"1024", "\"a"},
           {"1024", "1,\"used_bytes\":2"},
           {"used_bytes\":1024", "used_bytez\":1024"},
           {"used_bytes\":1024", "used_byte\":1024"},
           {"\"used_bytes\":1024,", ""},
           {"used_bytes\":1024", "used_bytes\" :1024"},
           {"used_bytes\":1024", "used_bytes\":  1024"},
           {",\"deep\"", "},\"deep\""},
           {"{\"a\":1}}", "{\"a\":1},\"b\":2"},
           {"{\"a\":1}}", "{\"a\":1}"},
           {"{\"a\":1}}", "{\"a\":1}}}"},
           {"\"deep\":{", "\"deep\":["},
           {"{}", "{ }"},
           {"{}", "[]"},
           {"{\"a\":2}", "{\"a\":3}"},
           {"{\"a\":2}", "{\"a\":x}"},
           {"{\"a\":2}]", "{\"a\":2},3]"},
           {"\"x\"", "\"a\\\"b\""},
           {"\"x\"", "\"a\\qb\""},
           {"\"x\"", "\"\""},
           {"\"x\"", "7"},
           {"true", "false"},
           {"true", "truf"},
           {"null", "nule"},
           {"null", "1e5"},
           {"\"t\"}", "\"t\"} "},
           {"\"t\"}", "\"t\"}x"},
           {"\"t\"}", "\"t\""},
           {"\"t\"}", "\"t\"}}"},
           {"\"t\"}", "\"t\"]"},
           {"2026", "20x6"},
           {"\"t\"", "\"u\""}}) {
    with(from, to);
  }
  const auto make = [](std::string& out) {
    return Reader([&out](const Record& record) {
      out += fmt::format("{} {} ", record.event(), record.identity());
      for (const char* name : {"seq", "used_bytes", "last_sample.used_bytes", "last_sample.deep.a",
                               "last_sample.b", "deep.a", "b", "none", "name", "a"}) {
        const std::string_view path = name;
        out += fmt::format("{}={} {} ", path, record.real(path).value_or(-1),
                           record.text(path).value_or("-"));
      }
      out += fmt::format("on={}\n", record.boolean("on").value_or(false));
    });
  };
  const auto read_behind = [&](int plain_lines, const std::string& line) {
    std::string out;
    Reader reader = make(out);
    for (int i = 0; i < plain_lines; ++i) reader.feed(plain + "\n");
    out.clear();
    const Counts before = reader.counts();
    reader.feed(line + "\n");
    const Counts& after = reader.counts();
    return out + fmt::format("{} {} {}", after.events - before.events,
                             after.foreign - before.foreign, after.broken - before.broken);
  };
  for (const std::string& line : lines) EXPECT_EQ(read_behind(3, line), read_behind(0, line));
  EXPECT_NE(read_behind(3, lines[0]), read_behind(3, lines[1]));
}

TEST(Reader, ManyLinesAtOnceAreReadAsIfEachWereAlone) {
  // A fault of one is none of those beside it, whichever string it leaves open.
  for (const std::string_view fault :
       {"{\"event\":\"memory.sample", "it said \"", "\xff\xfe", "{\"a\":\"\\\"}", "\\", "\"a\" b {",
        "half a line \"", "\"", "{\"x\":\"\t\"}", "]}", "\\\""}) {
    std::string text;
    for (int i = 0; i < 5; ++i) text += std::string(kSample) + "\n" + std::string(fault) + "\n";
    const Read together = read(text);
    EXPECT_EQ(together.counts.events, 5U) << fault;
    const Read alone = read(text, 1);
    EXPECT_EQ(alone.counts.events, 5U) << fault;
    EXPECT_EQ(alone.counts.broken, together.counts.broken) << fault;
    EXPECT_EQ(alone.counts.foreign, together.counts.foreign) << fault;
  }
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

std::string sample(int seq, std::string_view more = "") {
  return fmt::format(
      R"({{"event":"memory.sample","time":"2026-11-24T11:04:{:02}.123Z","seq":{}{}}})", seq, seq,
      more);
}

/// As JSON holds a text.
std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string log_events(const std::vector<std::string>& messages, std::string_view indent) {
  std::string text = fmt::format("{{{0}\"events\": [{0}", indent);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    text += fmt::format(R"({}{{"timestamp": 1396035378988,{}"message": {}, "ingestionTime": 1}})",
                        i == 0 ? "" : ",", indent, json_text(messages[i]));
  }
  return text +
         fmt::format(R"(],{}"nextForwardToken": "f/1", "nextBackwardToken": "b/1"}})", indent);
}

/// The `seq` of every record, as it comes out.
std::vector<std::uint64_t> sequence_of(std::string_view text, Counts* counts = nullptr,
                                       std::size_t piece = std::string_view::npos) {
  std::vector<std::uint64_t> seqs;
  Reader reader([&](const Record& record) { seqs.push_back(record.whole("seq").value_or(0)); },
                Reader::Order::restored);
  for (std::size_t at = 0; at < text.size(); at += std::min(piece, text.size() - at)) {
    reader.feed(text.substr(at, piece));
  }
  reader.finish();
  if (counts != nullptr) *counts = reader.counts();
  return seqs;
}

using Seqs = std::vector<std::uint64_t>;

TEST(Reader, ReadsWhatGetLogEventsAnswersHoweverItIsCut) {
  const std::vector<std::string> messages = {sample(1), "plain \"text\"", sample(2), "{broken"};
  for (const char* indent : {"", "\n    "}) {
    const std::string text = log_events(messages, indent) + "\n" + log_events(messages, indent);
    for (std::size_t piece = 1; piece < text.size(); piece += piece < 40 ? 1 : 97) {
      const Read result = read(text, piece);
      ASSERT_EQ(result.counts.documents, 2U) << piece;
      ASSERT_EQ(result.counts.lines, 8U) << piece;
      ASSERT_EQ(result.counts.events, 4U) << piece;
      ASSERT_EQ(result.counts.foreign, 2U) << piece;
      ASSERT_EQ(result.counts.broken, 2U) << piece;
      ASSERT_EQ(result.problems[0].line, 4U);
      ASSERT_TRUE(describe(result.problems[0], result.counts).starts_with("message 4: "));
    }
  }
}

TEST(Reader, ReadsFilterLogEventsInsightsAndBareLists) {
  const std::string message = json_text(sample(7));
  const auto seqs = [](const std::string& text) { return sequence_of(text); };
  EXPECT_EQ(seqs(R"({"events":[{"logStreamName":"s","timestamp":1,"message":)" + message +
                 R"(,"eventId":"1"}],"searchedLogStreams":[]})"),
            Seqs{7});
  EXPECT_EQ(seqs(R"({"searchedLogStreams":[],"events":[{"message":)" + message + "}]}"), Seqs{7});
  EXPECT_EQ(seqs(R"({"results":[[{"field":"@timestamp","value":"{\"event\":1}"},)"
                 R"({"field":"@message","value":)" +
                 message + R"(},{"field":"@ptr","value":"x"}]],"status":"Complete"})"),
            Seqs{7});
  EXPECT_EQ(seqs(R"([{"timestamp":1,"message":)" + message + "}]"), Seqs{7});
  EXPECT_EQ(seqs(R"([[{"field":"@message","value":)" + message + "}]]"), Seqs{7});
}

TEST(Reader, MessagesAreUnescaped) {
  std::string name;
  Reader reader([&](const Record& record) { name = record.text("victim.name").value_or("?"); });
  reader.feed(R"({"events":[{"message":"{\"event\":\"memory.oom_kill\",)"
              R"(\"time\":\"2026-11-24T11:04:34Z\",\"victim\":{\"name\":)"
              R"(\"a\\\"b\u00e9\ud83d\ude00\\u0041\"}}\n"}]})");
  reader.finish();
  EXPECT_EQ(name, "a\"b\u00e9\U0001F600A");
}

TEST(Reader, ADocumentThatIsCutSaysSoAndLinesGoOnBehindIt) {
  const std::string whole = log_events({sample(1), sample(2)}, "\n");
  const Read ended = read(whole.substr(0, whole.size() - 30));
  EXPECT_EQ(ended.counts.events, 2U);
  ASSERT_EQ(ended.problems.size(), 1U);
  EXPECT_NE(ended.problems[0].what.find("ends early"), std::string::npos);
  const Read resumed = read(whole.substr(0, whole.find("seq")) + "\n" + sample(3) + "\n");
  EXPECT_EQ(resumed.counts.events, 1U);
  EXPECT_EQ(resumed.counts.broken, 1U);
}

TEST(Reader, AnApplicationsOwnJsonIsNoDocument) {
  const Read result = read(
      "{\"events\":[]}\n{\"results\":3}\n{\"message\":\"hello\"}\n{\"status\":\"ok\"}\n[{\"a\":1}]"
      "\n"
      "[[1]]\n" +
      sample(1) + "\n");
  EXPECT_EQ(result.counts.foreign, 6U);
  EXPECT_EQ(result.counts.broken, 0U);
  EXPECT_EQ(result.counts.events, 1U);
}

TEST(Reader, ReadsBehindTimestampsAndOutOfLogDriversObjects) {
  const std::string emf = R"({"_aws":{"Timestamp":1},)" + sample(2).substr(1);
  const std::string text = "2026-11-24T11:04:34.123456789Z " + sample(1) + "\n" +
                           "2026-11-24T11:04:34.123456789Z " + emf + "\n" + R"({"log":)" +
                           json_text(sample(3)).insert(json_text(sample(3)).size() - 1, "\\n") +
                           R"(,"stream":"stdout","time":"2026-11-24T11:04:34.1Z"})" + "\n" +
                           R"({"log":"plain"})" + "\n";
  Counts counts;
  EXPECT_EQ(sequence_of(text, &counts), (Seqs{1, 2, 3}));
  EXPECT_EQ(counts.foreign, 1U);
}

TEST(Order, IsRestoredAndDuplicatesAreDropped) {
  const auto lines = [](const Seqs& seqs) {
    std::string text;
    for (const auto seq : seqs) text += sample(static_cast<int>(seq)) + "\n";
    return text;
  };
  Counts counts;
  EXPECT_EQ(sequence_of(lines({1, 3, 2, 2, 5, 6, 4, 1, 7}), &counts), (Seqs{1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(counts.duplicates, 2U);
  EXPECT_EQ(counts.events, 7U);
  EXPECT_EQ(sequence_of(lines({1, 2, 5, 6, 9}), &counts), (Seqs{1, 2, 5, 6, 9}));
  EXPECT_EQ(counts.duplicates, 0U);
}

TEST(Order, TwoTasksDoNotDisturbEachOther) {
  const auto line = [](int seq, const char* task) {
    return sample(seq, fmt::format(R"(,"task_id":"{}")", task)) + "\n";
  };
  Counts counts;
  EXPECT_EQ(sequence_of(line(1, "a") + line(1, "b") + line(2, "b") + line(2, "a") + line(4, "a") +
                            line(3, "b") + line(3, "a"),
                        &counts),
            (Seqs{1, 1, 2, 2, 3, 3, 4}));
  EXPECT_EQ(counts.duplicates, 0U);
}

TEST(Order, ARestartIsNoDisorder) {
  EXPECT_EQ(
      sequence_of(sample(1) + "\n" + sample(2) + "\n" + sample(3) + "\n" +
                  R"({"event":"probe.started","time":"2026-11-24T12:04:00Z","seq":1})" + "\n" +
                  R"({"event":"memory.sample","time":"2026-11-24T12:04:01Z","seq":2})"),
      (Seqs{1, 2, 3, 1, 2}));
}

TEST(Order, ALossHoldsABoundedNumberBack) {
  std::string text = sample(1) + "\n";
  for (int i = 0; i < 5000; ++i) {
    text += fmt::format(R"({{"event":"memory.sample","time":"2026-11-24T12:{:02}:{:02}.{:03}Z",)"
                        R"("seq":{}}})"
                        "\n",
                        i / 1000, i % 1000 / 20, i % 20, 10 + i);
  }
  std::uint64_t out = 0;
  Reader reader([&](const Record&) { ++out; }, Reader::Order::restored);
  reader.feed(text);
  EXPECT_GE(out, 5001 - Sequence::kMostHeld);
  reader.finish();
  EXPECT_EQ(out, 5001U);
}

std::string gzip(std::string_view text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()), '\0');
  std::string in(text);
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST(Reader, ReadsGzipWholeConcatenatedCutAndDamaged) {
  std::string text;
  for (int i = 0; i < 5000; ++i)
    text += sample(1 + i % 50, fmt::format(R"(,"n":{})", i * 7919)) + "\n";
  const std::string packed = gzip(text);
  test::FixtureTree tree;
  const auto read_back = [&](const std::string& content) {
    tree.file("/r.gz", content);
    Reader reader([](const Record&) {});
    EXPECT_TRUE(read_file(tree.path() + "/r.gz", reader));
    return std::pair(reader.counts().events, reader.problems());
  };
  EXPECT_EQ(read_back(packed).first, 5000U);
  EXPECT_TRUE(read_back(packed).second.empty());
  EXPECT_EQ(read_back(packed + packed).first, 10000U);
  const auto cut = read_back(packed.substr(0, packed.size() / 2));
  EXPECT_GT(cut.first, 1000U);
  ASSERT_FALSE(cut.second.empty());
  EXPECT_NE(cut.second.back().what.find("ends early"), std::string::npos);
  // The checksum at its end tells, if nothing before does.
  std::string damaged = packed;
  damaged[damaged.size() - 8] = static_cast<char>(damaged[damaged.size() - 8] ^ 1);
  const auto hurt = read_back(damaged);
  ASSERT_FALSE(hurt.second.empty());
  EXPECT_NE(hurt.second.back().what.find("damaged"), std::string::npos);
  EXPECT_EQ(read_back("").first, 0U);
  EXPECT_EQ(read_back("\x1f").first, 0U);
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
