#include "report/command.h"

#include <algorithm>
#include <array>

#include "alarm/options.h"
#include "alarm/watch.h"
#include "recording/reader.h"
#include "recording/runs.h"
#include "report/alarms.h"
#include "report/content.h"
#include "report/write.h"

namespace oomdrill::report {
namespace {

using drill::ExitCode;

constexpr std::array kOptions = {
    Option{.name = "output",
           .value = "PATH",
           .default_value = "",
           .help = "The report, written anew if it exists; by default stdout",
           .short_name = 'o'},
    Option{.name = "format",
           .value = "NAME",
           .default_value = "",
           .help = "html, markdown or json; by default as the name of --output ends, else html"},
    alarm::kAlarmsOption,
    alarm::kDelayOption,
    alarm::kNamespaceOption,
    alarm::kStretchOption,
};

/// Reads the recordings once more, for what alarms see of them.
Result<void> evaluate(const std::vector<std::string>& paths, alarm::Watched watched,
                      std::optional<double> stretch, Extras& extras) {
  alarm::Watch watch(std::move(watched.series), stretch);
  for (const std::string& path : paths) {
    recording::Reader reader([&watch](const recording::Record& record) { watch.note(record); },
                             recording::Reader::Order::restored);
    if (const auto read = recording::read_file(path, reader); !read) return fail(read.error());
    watch.next_recording();
  }
  if (watch.is_mixed()) return fail(alarm::mixed_stretch());
  const auto incident = watch.incident();
  if (!incident) return {};
  extras.alarms = alarm_results(
      alarm::examine(watched.set, watch.series(), *incident, watched.question), *incident);
  extras.alarm_source = watched.set.source;
  extras.stretch = watch.stretch();
  return {};
}

}  // namespace

constinit const Command kReportCommand = {
    .program = "oomdrill",
    .name = "report",
    .synopsis = "RECORDING…",
    .summary = "The post-incident review as one file: what happened, who saw it, what to change.",
    .options = kOptions,
    .epilogue =
        "Examples:\n"
        "  oomdrill report drill.jsonl -o report.html\n"
        "  oomdrill report drill.jsonl --alarms guide -o report.html\n"
        "  oomdrill report --format markdown task.log.gz | gh pr comment -F -\n",
    .takes_positionals = true};

ExitCode run_report(const Arguments& arguments, drill::Streams& streams) {
  const auto complain = [&](const Error& error, ExitCode code) {
    streams.err << "oomdrill: " << error.line() << '\n';
    return code;
  };
  const std::string output = arguments.text("output");
  const auto format = format_of(arguments.text("format"), output);
  if (!format) {
    return complain({format.error().what, arguments.origin("format"), format.error().remedy},
                    ExitCode::usage);
  }
  if (arguments.positionals.empty()) {
    return complain({"no recording", {}, "give one or more, or - for stdin"}, ExitCode::usage);
  }
  const auto stretch = alarm::read_stretch(arguments);
  if (!stretch) return complain(stretch.error(), ExitCode::usage);
  auto watched = alarm::read_watched(arguments, false);
  if (!watched) return complain(watched.error().error, watched.error().code);
  const auto& paths = arguments.positionals;
  if (*watched && std::find(paths.begin(), paths.end(), "-") != paths.end()) {
    return complain({"alarms need the recording a second time", "-", "give it as a file"},
                    ExitCode::usage);
  }
  recording::Input input{};
  const auto runs = recording::read_runs(arguments.positionals, input);
  if (!runs) {
    return complain(runs.error(),
                    input == recording::Input::missing ? ExitCode::no_input : ExitCode::data_error);
  }
  Extras extras;
  if (*watched) {
    const auto evaluated = evaluate(paths, std::move(**watched), *stretch, extras);
    if (!evaluated) return complain(evaluated.error(), ExitCode::no_input);
  }
  const std::string text = render(compose(*runs, extras), *format);
  if (output.empty() || output == "-") {
    streams.out << text;
    return ExitCode::as_expected;
  }
  ExitCode code = ExitCode::as_expected;
  if (const auto written = write_report(output, text, code); !written) {
    return complain(written.error(), code);
  }
  return ExitCode::as_expected;
}

}  // namespace oomdrill::report
