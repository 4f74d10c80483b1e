#include "encode/encoders.h"
#include "encode/object.h"

namespace oomdrill::telemetry {

std::size_t encode_json(const Event& event, std::uint64_t seq, const Context& context,
                        std::span<char> line) {
  return encode_object(event, seq, context, line, nullptr);
}

}  // namespace oomdrill::telemetry
