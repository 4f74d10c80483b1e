// Alarm files and the rules of composite alarms: text from outside.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "alarm/rule.h"
#include "alarm/sources.h"
#include "require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace oomdrill::alarm;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto set = parse_alarms(text)) {
    OOMDRILL_REQUIRE(set->size() > 0);
    for (const MetricAlarm& alarm : set->metric) {
      OOMDRILL_REQUIRE(alarm.check().has_value());
      OOMDRILL_REQUIRE(!alarm.name.empty());
      OOMDRILL_REQUIRE(parse_statistic(name(alarm.statistic)) == alarm.statistic);
    }
  } else {
    OOMDRILL_REQUIRE(!set.error().line().empty());
  }
  if (const auto rule = Rule::parse(text)) {
    const auto never = [](std::string_view) { return State::insufficient_data; };
    OOMDRILL_REQUIRE(rule->holds(never) == rule->holds(never));
    for (const auto& alarm : rule->alarms()) OOMDRILL_REQUIRE(!alarm.empty());
  }
  return 0;
}
