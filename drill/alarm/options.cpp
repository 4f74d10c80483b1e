#include "alarm/options.h"

#include <cstdlib>

#include "alarm/sources.h"

namespace oomdrill::alarm {
namespace {

using drill::ExitCode;

constexpr Nanoseconds kLongest = std::chrono::hours(24);

Result<seconds> whole_seconds(const Arguments& arguments, std::string_view option) {
  const auto duration = arguments.get(option, parse_duration);
  if (!duration) return fail(duration.error());
  if (*duration > kLongest)
    return fail("is too long", arguments.origin(option), "give a day or less");
  return std::chrono::ceil<seconds>(*duration);
}

Result<double> parse_factor(std::string_view text) {
  const std::string copy(text);
  char* end = nullptr;
  const double value = std::strtod(copy.c_str(), &end);
  if (copy.empty() || *end != '\0' || !(value >= 1e-3 && value <= 1e6)) {
    return fail("'" + copy + "' is no factor", {}, "such as 64");
  }
  return value;
}

}  // namespace

Result<std::optional<double>> read_stretch(const Arguments& arguments) {
  if (!arguments.given("stretch")) return std::nullopt;
  const auto factor = arguments.get("stretch", parse_factor);
  if (!factor) return fail(factor.error());
  return *factor;
}

Error mixed_stretch() {
  return {"the recordings are of drills on different scales",
          {},
          "evaluate them one by one, or give --stretch"};
}

tl::expected<std::optional<Watched>, Refusal> read_watched(const Arguments& arguments,
                                                           bool required,
                                                           const std::string& otherwise) {
  const auto refuse = [](Error error, ExitCode code = ExitCode::usage) {
    return tl::unexpected<Refusal>(Refusal{std::move(error), code});
  };
  Watched watched;
  const auto delay = whole_seconds(arguments, "delay");
  if (!delay) return refuse(delay.error());
  watched.question.delay = *delay;
  if (arguments.given("require-lead")) {
    const auto lead = whole_seconds(arguments, "require-lead");
    if (!lead) return refuse(lead.error());
    watched.question.lead = *lead;
  }
  const std::string source = arguments.given("alarms") ? arguments.text("alarms") : otherwise;
  if (source.empty()) {
    if (required || watched.question.lead) {
      return refuse(Error{"no alarms", required ? "" : arguments.origin("require-lead"),
                          "give --alarms FILE, or --alarms guide"});
    }
    return std::nullopt;
  }
  auto set = load_alarms(source);
  if (!set) {
    return refuse(set.error(), set.error().errnum != 0 ? ExitCode::no_input : ExitCode::data_error);
  }
  watched.set = std::move(*set);
  watched.series = SeriesSet(arguments.text("metric-namespace"));
  for (const MetricAlarm& each : watched.set.metric) watched.series.want(each);
  want_candidates(watched.series);
  return watched;
}

}  // namespace oomdrill::alarm
