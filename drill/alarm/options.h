#pragma once

#include <optional>

#include "alarm/findings.h"
#include "alarm/metrics.h"
#include "alarm/model.h"
#include "base/options.h"
#include "exit_codes.h"

/// The options on alarms that evaluate, predict and run share.
namespace oomdrill::alarm {

constexpr Option kAlarmsOption = {
    .name = "alarms",
    .value = "FILE",
    .default_value = "",
    .help =
        "The alarms: output of `aws cloudwatch describe-alarms` or `terraform show -json`, or "
        "a built-in set: 'guide', or 'corrected', which deploy/terraform makes (it assumes "
        "--delay 30s)"};
constexpr Option kRequireLeadOption = {
    .name = "require-lead",
    .value = "DURATION",
    .default_value = "",
    .help = "Exit with 1 unless some alarm fires that long before the first OOM kill"};
constexpr Option kDelayOption = {
    .name = "delay",
    .value = "DURATION",
    .default_value = "60s",
    .help = "From the end of a period until CloudWatch has its point (an assumption)"};
constexpr Option kNamespaceOption = {
    .name = "metric-namespace",
    .value = "NAME",
    .default_value = "oomdrill",
    .help = "Where oomprobe publishes its metrics, as its own --metric-namespace says"};

constexpr Option kStretchOption = {
    .name = "stretch",
    .value = "FACTOR",
    .default_value = "",
    .help =
        "For alarms a second of the recording counts as so many; by default as the drill that "
        "made it says, else 1"};

/// Recordings of drills on different scales have no common time.
Error mixed_stretch();
/// --stretch; nullopt where it is not given.
Result<std::optional<double>> read_stretch(const Arguments& arguments);

struct Watched {
  AlarmSet set;
  Question question;
  SeriesSet series;
};

/// What the options say; nullopt where --alarms is not given, there is nothing
/// to take `otherwise`, and it is not `required`.
/// Error with the exit code that it deserves.
struct Refusal {
  Error error;
  drill::ExitCode code = drill::ExitCode::usage;
};
tl::expected<std::optional<Watched>, Refusal> read_watched(const Arguments& arguments,
                                                           bool required,
                                                           const std::string& otherwise = {});

}  // namespace oomdrill::alarm
