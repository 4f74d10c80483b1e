// The reader of recordings: whatever a workload writes between the events, the account of it and
// what is said of it on a terminal.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "recording/account.h"
#include "recording/reader.h"
#include "require.h"
#include "run/screen.h"
#include "run/summary.h"

namespace {

using namespace oomdrill;

struct Outcome {
  recording::Counts counts;
  std::string told;
};

Outcome read(std::string_view text, std::size_t piece,
             recording::Reader::Order order = recording::Reader::Order::as_it_comes) {
  Outcome outcome;
  run::Drill drill;
  drill.memory_bytes = 64 << 20;
  drill.expected = "oom_killed";
  recording::Reader reader(
      [&](const recording::Record& record) {
        drill.account.note(record);
        if (const auto line = run::narrate(record, drill.account)) outcome.told += *line;
      },
      order);
  for (std::size_t at = 0; at < text.size(); at += piece) reader.feed(text.substr(at, piece));
  reader.finish();
  outcome.counts = drill.counts = reader.counts();
  drill.problems = reader.problems();
  // Without a prediction: its time is the plan's to spend, not the input's.
  drill.verdict = run::derive(drill.account, drill.outside);
  outcome.told += run::text_summary(drill);
  OOMDRILL_REQUIRE(!run::json_summary(drill).empty());
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Outcome whole = read(text, size + 1);
  const recording::Counts& counts = whole.counts;
  OOMDRILL_REQUIRE(counts.events + counts.foreign + counts.broken == counts.lines);
  OOMDRILL_REQUIRE(counts.duplicates == 0);
  const auto newlines = static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
  const bool open_end = !text.empty() && text.back() != '\n';
  // Of a document of `aws logs` the messages count instead.
  if (counts.documents == 0) OOMDRILL_REQUIRE(counts.lines == newlines + (open_end ? 1 : 0));
  for (const char c : whole.told) {
    OOMDRILL_REQUIRE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
  }

  const Outcome pieces = read(text, 3);
  OOMDRILL_REQUIRE(pieces.counts.events == counts.events);
  OOMDRILL_REQUIRE(pieces.counts.broken == counts.broken);
  OOMDRILL_REQUIRE(pieces.told == whole.told);

  // Lines that were seen before are read by what was learnt of them.
  if (counts.documents == 0 && !open_end) {
    const std::string twice = std::string(text) + std::string(text);
    const recording::Counts both = read(twice, twice.size() + 1).counts;
    OOMDRILL_REQUIRE(both.events == 2 * counts.events);
    OOMDRILL_REQUIRE(both.broken == 2 * counts.broken);
  }

  // Restoring the order drops what came twice, and nothing else.
  const auto restored = recording::Reader::Order::restored;
  const recording::Counts ordered = read(text, size + 1, restored).counts;
  OOMDRILL_REQUIRE(ordered.events + ordered.duplicates == counts.events);
  OOMDRILL_REQUIRE(ordered.lines == counts.lines);
  OOMDRILL_REQUIRE(ordered.broken == counts.broken);

  if (const auto time = recording::parse_time(text)) {
    OOMDRILL_REQUIRE(time->time_since_epoch().count() >= 0);
    char again[25];
    format_time(*time, again);
    OOMDRILL_REQUIRE(recording::parse_time(again).has_value());
  }
  return 0;
}
