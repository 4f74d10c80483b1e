// What users write about a plan: pattern texts, and the curves that replay reads. The first line is
// the text, the rest the curve.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "plan/plan.h"
#include "replay.h"
#include "require.h"

namespace {

using namespace oomdrill;

void check_curve(std::string_view text) {
  const auto rows = plan::parse_replay(text, "curve.csv");
  if (!rows) {
    OOMDRILL_REQUIRE(rows.error().line().starts_with("curve.csv"));
    return;
  }
  OOMDRILL_REQUIRE(rows->size() >= 2);
  OOMDRILL_REQUIRE(rows->front().at.count() == 0 && rows->front().bytes == 0);
  Nanoseconds last{0};
  for (const plan::Row& row : *rows) {
    OOMDRILL_REQUIRE(row.at >= last);
    OOMDRILL_REQUIRE(row.bytes <= INT64_MAX);
    last = row.at;
  }
}

void check_pattern(const std::string& text) {
  // Files are not the input's to name.
  if (text.find("replay") != std::string::npos) return;
  const auto choices = plan::parse_pattern(text);
  const auto made = plan::make_plan(text, {}, 1);
  if (!choices) {
    OOMDRILL_REQUIRE(!choices.error().line().empty() && !made);
    return;
  }
  OOMDRILL_REQUIRE(!choices->empty());
  // Written into it, the default of --rate changes nothing that was said.
  const std::string spelled = plan::spell_out(text, {{"rate", "1MB/s"}});
  const auto again = plan::parse_pattern(spelled);
  OOMDRILL_REQUIRE(again && again->size() == choices->size());
  OOMDRILL_REQUIRE(!plan::takes(*again, "rate"));
  if (!made) {
    OOMDRILL_REQUIRE(!made.error().line().empty());
    return;
  }
  const auto same = plan::make_plan(text, {}, 1);
  plan::Totals totals;
  Nanoseconds last{0};
  for (int i = 0; i < 200; ++i) {
    const auto step = (*made)->next();
    const auto twin = (*same)->next();
    OOMDRILL_REQUIRE(step.has_value() == twin.has_value());
    if (!step) break;
    OOMDRILL_REQUIRE(step->due >= last && step->due == twin->due);
    OOMDRILL_REQUIRE(step->action.index() == twin->action.index());
    last = step->due;
    totals.apply(*step);
    OOMDRILL_REQUIRE(totals.live() <= totals.allocated());
    OOMDRILL_REQUIRE(totals.allocated() < std::uint64_t{1} << 63);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto newline = text.find('\n');
  check_pattern(std::string(text.substr(0, newline)));
  if (newline != std::string_view::npos) check_curve(text.substr(newline + 1));
  return 0;
}
