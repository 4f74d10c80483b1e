#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/units.h"

namespace oomdrill::plan {

/// A point of a recorded curve, relative to its first row; what fell below that is 0.
struct Row {
  Nanoseconds at{0};
  std::uint64_t bytes = 0;
};

/// Rows of `time,bytes`, where time is in seconds or like 2026-11-24T11:04:34Z and the first line
/// may be a header; or a recording of JSON lines, of which `used_bytes` counts, or `live_bytes`
/// where no event has the former. Other lines of a recording, and events that are out of order by
/// their time, are passed over. Error: a row that is none, or fewer than two; it names the line.
Result<std::vector<Row>> parse_replay(std::string_view text, const std::string& path);

}  // namespace oomdrill::plan
