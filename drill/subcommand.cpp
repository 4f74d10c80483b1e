#include "subcommand.h"

namespace oomdrill::drill {

ExitCode complain(Streams& streams, const Error& error, ExitCode code) {
  streams.err << "oomdrill: " << error.line() << '\n';
  return code;
}

Result<bool> wants_json(const Arguments& arguments) {
  const std::string format = arguments.text("format");
  if (format != "text" && format != "json") {
    return fail("'" + format + "' is no format", arguments.origin("format"), "known: text, json");
  }
  return format == "json";
}

Result<void> names_recordings(const Arguments& arguments) {
  if (arguments.positionals.empty()) {
    return fail("no recording", {}, "give one or more, or - for stdin");
  }
  return {};
}

}  // namespace oomdrill::drill
