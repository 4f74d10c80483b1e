#include "encode/encoders.h"

#include <time.h>

#include <array>

namespace oomdrill::telemetry {
namespace {

constexpr std::array kEncoders = {
    Encoder{"text", "one readable line an event", encode_text},
    Encoder{"json", "one JSON object a line", encode_json},
    Encoder{"emf", "the same object in CloudWatch's Embedded Metric Format", encode_emf},
};

}  // namespace

std::span<const Encoder> encoders() { return kEncoders; }

Result<Encoder> choose_encoder(std::string_view format, bool is_terminal, bool in_ecs) {
  // The C library reads the time zone on first use, and allocates for it: not within an emit().
  tzset();
  if (format == "auto") format = is_terminal ? "text" : in_ecs ? "emf" : "json";
  std::string known = "auto";
  for (const Encoder& encoder : kEncoders) {
    if (encoder.name == format) return encoder;
    known += ", " + std::string(encoder.name);
  }
  return fail("'" + std::string(format) + "' is no output format", {}, "use one of " + known);
}

}  // namespace oomdrill::telemetry
