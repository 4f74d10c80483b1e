// Alarms over any recording: clock jumps, values and names from outside.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "alarm/report.h"
#include "alarm/sources.h"
#include "alarm/watch.h"
#include "recording/reader.h"
#include "require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace oomdrill;
  if (size == 0) return 0;
  // The first byte chooses among stretches, delays and alarms, the rest is the recording.
  const unsigned choice = data[0];
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  auto set = *alarm::load_alarms("guide");
  set.metric[0].missing = static_cast<alarm::Missing>(choice % 4);
  set.metric[1].period = alarm::seconds(choice % 8 < 4 ? 10 : 300);
  set.metric[2].metric_namespace = "oomdrill";
  alarm::Question question;
  question.delay = alarm::seconds(choice % 3 * 45);
  alarm::SeriesSet series;
  for (const auto& each : set.metric) series.want(each);
  alarm::want_candidates(series);
  alarm::Watch watch(std::move(series), choice > 128 ? 1e6 : 1);
  bool any = false;
  recording::Reader reader([&](const recording::Record& record) {
    watch.note(record);
    any = any || !record.event().starts_with("drill.");  // these frame the events, and are none
  });
  reader.feed(text);
  reader.finish();
  watch.next_recording();
  const auto incident = watch.incident();
  OOMDRILL_REQUIRE(incident.has_value() == any);
  if (!incident) return 0;
  const auto findings = alarm::examine(set, watch.series(), *incident, question);
  OOMDRILL_REQUIRE(findings.alarms.size() == set.size());
  for (const auto& each : findings.alarms) {
    OOMDRILL_REQUIRE(!each.why.empty());
    const bool fired = each.fired == alarm::Fired::before || each.fired == alarm::Fired::after;
    OOMDRILL_REQUIRE(fired == each.fired_after_s.has_value());
    OOMDRILL_REQUIRE(each.lead_s.has_value() == (fired && incident->kill.has_value()));
  }
  for (const char c : alarm::text_alarms(findings, set, *incident, question)) {
    OOMDRILL_REQUIRE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
  }
  OOMDRILL_REQUIRE(alarm::json_alarms(findings, *incident).size() == set.size());
  return 0;
}
