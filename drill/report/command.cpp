#include "report/command.h"

#include <array>

#include "alarm/options.h"
#include "alarm/watch.h"
#include "recording/runs.h"
#include "report/alarms.h"
#include "report/content.h"
#include "report/write.h"

namespace oomdrill::report {
namespace {

using drill::complain;
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

Result<void> evaluate(const alarm::Watched& watched, const alarm::Watch& watch, Extras& extras) {
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
  const std::string output = arguments.text("output");
  const auto format = format_of(arguments.text("format"), output);
  if (!format) {
    return complain(streams,
                    {format.error().what, arguments.origin("format"), format.error().remedy},
                    ExitCode::usage);
  }
  if (const auto named = drill::names_recordings(arguments); !named) {
    return complain(streams, named.error(), ExitCode::usage);
  }
  for (const std::string& recording : arguments.positionals) {
    if (const auto apart = refuse_same(output, recording, "a recording"); !apart) {
      return complain(streams, apart.error(), ExitCode::usage);
    }
  }
  if (const auto apart = refuse_same(output, arguments.text("alarms"), "the alarms' file");
      !apart) {
    return complain(streams, apart.error(), ExitCode::usage);
  }
  const auto stretch = alarm::read_stretch(arguments);
  if (!stretch) return complain(streams, stretch.error(), ExitCode::usage);
  auto watched = alarm::read_watched(arguments, false);
  if (!watched) return complain(streams, watched.error().error, watched.error().code);
  std::optional<alarm::Watch> watch;
  if (*watched) watch.emplace(std::move((*watched)->series), *stretch);
  recording::Input input{};
  const auto runs = recording::read_runs(
      arguments.positionals, input,
      [&watch](const recording::Record& record) {
        if (watch) watch->note(record);
      },
      [&watch] {
        if (watch) watch->next_recording();
      });
  if (!runs) {
    return complain(streams, runs.error(),
                    input == recording::Input::missing ? ExitCode::no_input : ExitCode::data_error);
  }
  Extras extras;
  if (watch) {
    const auto evaluated = evaluate(**watched, *watch, extras);
    if (!evaluated) return complain(streams, evaluated.error(), ExitCode::no_input);
  }
  const std::string text = render(compose(*runs, extras), *format);
  if (output.empty() || output == "-") {
    streams.out << text;
    return ExitCode::as_expected;
  }
  ExitCode code = ExitCode::as_expected;
  if (const auto written = write_report(output, text, code); !written) {
    return complain(streams, written.error(), code);
  }
  return ExitCode::as_expected;
}

}  // namespace oomdrill::report
