#include <algorithm>
#include <vector>

#include "console.h"
#include "curve.h"
#include "exit_codes.h"
#include "options.h"
#include "outcome.h"
#include "subcommand.h"

namespace oomdrill::simulator {
namespace {

/// Where nothing ends the curve.
constexpr Nanoseconds kDefaultHorizon = std::chrono::minutes(5);
/// Within which the limit has to be met.
constexpr Nanoseconds kLimitHorizon = std::chrono::hours(24);
constexpr std::size_t kBuffer = 64 << 10;

const Command& command() {
  static const std::vector<Option> options = [] {
    std::vector<Option> all = {
        Option{"memory", "SIZE", "",
               "Limit of the container: marked, and the curve ends where it is met", 'm'},
        Option{"format", "NAME", "auto",
               "text is a plot; csv and json are time in seconds and bytes, at each "
               "--report-every; auto is text",
               'f'}};
    for (const Option& option : kCommand.options) {
      const bool own = std::any_of(all.begin(), all.end(),
                                   [&](const Option& each) { return each.name == option.name; });
      if (!own && !option.name.starts_with("list-")) all.push_back(option);
    }
    return all;
  }();
  static const Command command = {
      .program = "leaksim",
      .name = "plan",
      .synopsis = "",
      .summary = "Prints the curve that leaksim's options would produce, without allocating.",
      .options = options,
      .epilogue =
          "The curve is what the leak holds. What leaksim itself needs, about 2 MiB, and what an\n"
          "allocator adds to small blocks come on top: oomdrill run predicts with them.\n\n"
          "Examples:\n"
          "  leaksim plan --pattern sawtooth --memory 64MiB\n"
          "  leaksim plan --phase linear:for=60s --phase hold:for=30s --phase burst -d 5m\n"
          "  leaksim plan --pattern exponential --format csv > curve.csv\n"
          "  leaksim --pattern replay:file=curve.csv\n"};
  return command;
}

/// "0.01", without an exponent and without zeros at its end.
std::string seconds_text(Nanoseconds time) {
  std::string text = fmt::format("{:.6f}", to_seconds(time));
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

/// Rows at each multiple of an interval, or at each step, into a descriptor.
class Rows {
 public:
  Rows(int fd, bool json, Nanoseconds every) : fd_(fd), json_(json), every_(every) {}

  void begin(const CurveRequest& request, const CurveEnd& end) {
    if (!json_) {
      text_ += "time,bytes\n";
      return;
    }
    text_ += '{';
    if (request.limit) {
      text_ += fmt::format("\"limit_bytes\":{},\"limit_met_s\":{},", *request.limit,
                           end.reason == CurveEnd::Reason::limit ? seconds_text(end.at) : "null");
    }
    text_ += "\"points\":[\n";
  }
  void step(Nanoseconds at, std::uint64_t live) {
    if (every_ == Nanoseconds(0)) {
      row(at, live);
    } else {
      for (; next_ < at; next_ += every_) row(next_, live_);
    }
    live_ = live;
  }
  /// What could not be written: print()'s error.
  int finish(Nanoseconds at) {
    if (every_ > Nanoseconds(0)) {
      for (; next_ < at; next_ += every_) row(next_, live_);
    }
    row(at, live_);
    if (json_) text_ += "\n]}\n";
    flush();
    return error_;
  }

 private:
  void row(Nanoseconds at, std::uint64_t live) {
    if (json_) {
      text_ += fmt::format("{}{{\"time\":{},\"bytes\":{}}}", first_ ? "" : ",\n", seconds_text(at),
                           live);
    } else {
      text_ += fmt::format("{},{}\n", seconds_text(at), live);
    }
    first_ = false;
    if (text_.size() >= kBuffer) flush();
  }
  void flush() {
    if (error_ == 0) error_ = print(fd_, text_);
    text_.clear();
  }

  int fd_;
  bool json_;
  Nanoseconds every_;
  Nanoseconds next_{0};
  std::uint64_t live_ = 0;
  bool first_ = true;
  std::string text_;
  int error_ = 0;  ///< of what could not be written
};

std::string caption(const CurveRequest& request, const CurveEnd& end) {
  using Reason = CurveEnd::Reason;
  std::string text = fmt::format("{}, seed {}: {} after {}", request.pattern, request.seed,
                                 format_bytes(end.live), format_duration(end.at));
  if (end.peak > end.live) text += fmt::format(", at most {}", format_bytes(end.peak));
  text += '\n';
  if (request.limit) {
    text += end.reason == Reason::limit
                ? fmt::format("the live bytes meet the limit of {} after {}",
                              format_bytes(*request.limit), format_duration(end.at))
                : fmt::format("the live bytes do not meet the limit of {}",
                              format_bytes(*request.limit));
    text += "; `oomdrill predict` tells when the kernel kills\n";
  }
  return text;
}

Result<CurveRequest> read_request(const Arguments& arguments, const Settings& settings) {
  CurveRequest request{.pattern = settings.pattern, .seed = settings.seed};
  if (arguments.given("memory")) {
    const auto limit = arguments.get("memory", parse_bytes);
    if (!limit) return fail(limit.error());
    if (*limit == 0) return fail("'0' is no limit", arguments.origin("memory"), "such as 64MiB");
    request.limit = *limit;
  }
  if (settings.target) {
    const auto until = settings.target->resolve(request.limit);
    if (!until) {
      return fail(request.limit ? until.error().what : "it refers to a memory limit",
                  arguments.origin("until"), "give the limit with --memory");
    }
    request.until = *until;
  }
  request.max_bytes = settings.max_bytes;
  request.hold = settings.then == Then::hold;
  request.horizon = settings.duration.value_or(request.limit ? kLimitHorizon : kDefaultHorizon);
  return request;
}

int run(const Arguments& arguments, const Machine& machine) {
  const auto refuse = [&machine](const Error& error) {
    complain(machine.err, error.line());
    return static_cast<int>(kUsage);
  };
  const auto settings = read_settings(arguments);
  if (!settings) return refuse(settings.error());
  auto request = read_request(arguments, *settings);
  if (!request) return refuse(request.error());
  std::string format = arguments.text("format");
  if (format == "auto") format = "text";
  if (format != "text" && format != "json" && format != "csv") {
    return refuse({"'" + format + "' is no format of a curve", arguments.origin("format"),
                   "choose text, json or csv"});
  }
  auto end = trace_curve(*request, {});
  const bool open_end = end && end->reason == CurveEnd::Reason::horizon;
  if (open_end && request->limit && !settings->duration) {
    // The limit is not met within a day: its beginning says more than all of it.
    request->horizon = kDefaultHorizon;
    end = trace_curve(*request, {});
  }
  if (!end) return refuse(Error(end.error()).within(settings->pattern_origin));

  if (format != "text") {
    Rows rows(machine.out, format == "json", settings->report_every);
    rows.begin(*request, *end);
    (void)trace_curve(*request,
                      [&rows](Nanoseconds at, std::uint64_t live) { rows.step(at, live); });
    return answered(rows.finish(end->at), machine.err);
  }
  const auto plot = plot_curve(*request, *end, terminal_width(machine.out));
  if (!plot) return refuse(plot.error());
  return answer(machine.out, machine.err, *plot + caption(*request, *end));
}

}  // namespace

const Subcommand kPlan = {.name = "plan", .command = command, .run = run};

}  // namespace oomdrill::simulator
