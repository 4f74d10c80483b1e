#include "replay.h"

#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/file.h"
#include "patterns.h"
#include "polyline.h"
#include "settings.h"

namespace oomdrill::plan {
namespace {

constexpr std::size_t kLargestFile = std::size_t{64} << 20;
constexpr std::string_view kEventStart = R"({"event":")";

/// As in the file.
struct Reading {
  Nanoseconds at;
  std::uint64_t bytes;
  bool after_kill = false;  ///< its own count of OOM kills has risen
};

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

template <class Take>
Result<void> each_line(std::string_view text, Take take) {
  for (std::uint64_t number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (auto status = take(number, trim(line)); !status) return status;
  }
  return {};
}

std::optional<Nanoseconds> parse_seconds(std::string_view text) {
  double seconds = 0;
  const char* end = text.data() + text.size();
  const auto [rest, status] = std::from_chars(text.data(), end, seconds, std::chars_format::fixed);
  // 9e9: the year 2255, as far as nanoseconds since 1970 go.
  if (status != std::errc{} || rest != end || !(seconds >= 0 && seconds <= 9e9)) {
    return std::nullopt;
  }
  return from_seconds(seconds);
}

Result<std::vector<Reading>> parse_rows(std::string_view text, const std::string& path) {
  std::vector<Reading> readings;
  bool dated = false;
  auto status = each_line(text, [&](std::uint64_t number, std::string_view line) -> Result<void> {
    const auto where = [&] { return fmt::format("{}:{}", path, number); };
    if (line.empty() || line.front() == '#') return {};
    const auto comma = line.find(',');
    const std::string_view time = trim(line.substr(0, comma));
    const std::string_view size =
        comma == std::string_view::npos ? "" : trim(line.substr(comma + 1));
    std::optional<Nanoseconds> at = parse_seconds(time);
    const auto date = parse_time(time);
    if (date) at = date->time_since_epoch();
    const auto bytes = parse_size(size);
    if (!at && !bytes && readings.empty() && number == 1) return {};  // the header
    if (!at) {
      return fail(fmt::format("'{}' is no time", time), where(),
                  "write rows of time,bytes, time in seconds or as 2026-11-24T11:04:34Z");
    }
    if (!bytes) return fail(Error(bytes.error()).within(where()));
    if (!readings.empty() && dated != date.has_value()) {
      return fail("the time is of another form than above", where());
    }
    if (!readings.empty() && *at < readings.back().at) {
      return fail("goes back in time", where(), "sort the rows by time");
    }
    dated = date.has_value();
    readings.push_back({*at, *bytes});
    return {};
  });
  if (!status) return fail(status.error());
  return readings;
}

/// Between the last sample and the kill is what filled the limit, however fast it came: a replay
/// that ended with the sample would not be killed. It grows by the whole limit, as it may begin
/// from less than was used then.
void end_with(std::vector<Reading>& readings, const Reading& kill) {
  while (!readings.empty() && readings.back().after_kill) readings.pop_back();
  if (readings.empty() || readings.back().at > kill.at) return;
  readings.push_back({kill.at, readings.back().bytes});
  readings.push_back({kill.at, readings.front().bytes + kill.bytes});
}

std::vector<Reading> parse_recording(std::string_view text) {
  std::vector<Reading> used;
  std::vector<Reading> live;
  // Not an optional: g++ 12 takes its value for uninitialised.
  Reading kill{};
  bool killed = false;
  std::optional<std::uint64_t> kills_before;
  (void)each_line(text, [&](std::uint64_t, std::string_view line) -> Result<void> {
    const auto start = line.find(kEventStart);
    if (start == std::string_view::npos) return {};
    const auto event = nlohmann::json::parse(line.substr(start), nullptr, false);
    if (!event.is_object()) return {};
    const auto time = event.find("time");
    if (time == event.end() || !time->is_string()) return {};
    const auto at = parse_time(time->get_ref<const std::string&>());
    if (!at) return {};
    const auto number = [&event](const char* name) -> std::optional<std::uint64_t> {
      const auto found = event.find(name);
      if (found == event.end() || !found->is_number_unsigned()) return std::nullopt;
      return found->get<std::uint64_t>();
    };
    const auto& name = event["event"];
    // These two repeat the last sample before the end.
    if (name == "workload.exited") return {};
    if (name == "memory.oom_kill") {
      killed = false;
      const auto limit = number("limit_bytes");
      if (limit && event.value("survived", false) == false) {
        kill = Reading{at->time_since_epoch(), *limit};
        killed = true;
      }
      return {};
    }
    const auto kills = number("oom_kills");
    if (kills && !kills_before) kills_before = kills;
    const auto take = [&](const char* member, std::vector<Reading>& into) {
      const auto bytes = number(member);
      if (!bytes) return;
      const Reading reading{at->time_since_epoch(), *bytes, kills && *kills > *kills_before};
      if (reading.bytes > INT64_MAX || (!into.empty() && reading.at < into.back().at)) return;
      into.push_back(reading);
    };
    take("used_bytes", used);
    take("live_bytes", live);
    return {};
  });
  std::vector<Reading>& readings = used.size() >= 2 ? used : live;
  if (killed) end_with(readings, kill);
  return std::move(readings);
}

class Replay final : public Polyline {
 public:
  Replay(std::vector<Row> rows, std::uint64_t speed) : rows_(std::move(rows)), speed_(speed) {}

 private:
  std::optional<Corner> corner() override {
    if (next_ == rows_.size()) return std::nullopt;
    const Row& row = rows_[next_++];
    return Corner{row.at / static_cast<std::int64_t>(speed_), row.bytes};
  }

  std::vector<Row> rows_;
  std::uint64_t speed_;
  std::size_t next_ = 0;
};

constexpr std::array kParameters = {
    Parameter{"file", "PATH", "",
              "rows of time,bytes, or a recording of JSON lines; without ',' and ';' in its name"},
    Parameter{"speed", "N", "1", "N times as fast as it was"}};

Result<std::unique_ptr<Plan>> make(const Settings& settings, std::uint64_t) {
  auto rows =
      read_setting(settings, kParameters[0], [](std::string_view text) -> Result<std::vector<Row>> {
        const std::string path(text);
        if (path.empty()) {
          return fail("has to be given", {}, "write file=PATH");
        }
        const auto content = read_file(path, kLargestFile);
        if (!content) return fail(content.error());
        return parse_replay(*content, path);
      });
  if (!rows) return fail(rows.error());
  const auto speed = read_setting(settings, kParameters[1], [](std::string_view text) {
    return parse_whole(text, 1, 1'000'000);
  });
  if (!speed) return fail(speed.error());
  return std::make_unique<Replay>(std::move(*rows), *speed);
}

}  // namespace

Result<std::vector<Row>> parse_replay(std::string_view text, const std::string& path) {
  std::vector<Reading> readings;
  if (text.find(kEventStart) != std::string_view::npos) {
    readings = parse_recording(text);
    if (readings.size() < 2) {
      return fail("fewer than two events have a time and used_bytes or live_bytes", path,
                  "give a recording of oomprobe or leaksim as JSON lines");
    }
  } else {
    auto rows = parse_rows(text, path);
    if (!rows) return fail(rows.error());
    readings = std::move(*rows);
    if (readings.size() < 2) {
      return fail("has fewer than two rows", path, "write rows of time,bytes");
    }
  }
  std::vector<Row> rows;
  rows.reserve(readings.size());
  const Reading first = readings.front();
  for (const Reading& each : readings) {
    rows.push_back({each.at - first.at, each.bytes - std::min(each.bytes, first.bytes)});
  }
  return rows;
}

constinit const Pattern kReplay = {
    .name = "replay",
    .help = "re-enacts a recorded curve, from its first row's time and size on",
    .parameters = kParameters,
    .needs_blocks = false,
    .ends = true,
    .make = make};

}  // namespace oomdrill::plan
