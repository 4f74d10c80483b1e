#pragma once

#include <span>
#include <string>
#include <string_view>

#include "alarm/model.h"

/// Where alarms come from.
namespace oomdrill::alarm {

/// `aws cloudwatch describe-alarms`, `terraform show -json` of a plan or a state, or the
/// `planned_values` of either. Alarms of metric math or anomaly detection become OtherAlarm. Error:
/// neither of them, no alarm in it, or one that CloudWatch would refuse; it names the alarm.
Result<AlarmSet> parse_alarms(std::string_view text);

struct BuiltIn {
  std::string_view name;
  std::string_view help;
  AlarmSet (*make)();
};

/// The one table.
std::span<const BuiltIn> built_in_sets();

/// A built-in set by its name, or else the file of that path ("-" is not one). Error: as above,
/// with the path.
Result<AlarmSet> load_alarms(const std::string& name_or_path);

}  // namespace oomdrill::alarm
