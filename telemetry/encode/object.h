#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "encode/line_writer.h"
#include "telemetry/encoder.h"
#include "telemetry/event.h"

namespace oomdrill::telemetry {

/// Writes further members of the root for the first `kept` fields of the event.
using WriteMore = void (*)(LineWriter& out, const Event& event, std::size_t kept,
                           const Context& context);

/// The JSON object that `json` and `emf` share, with its newline: event, time, seq, fields,
/// context, and what `more` (may be null) adds, which is kept or left out as a whole.
std::size_t encode_object(const Event& event, std::uint64_t seq, const Context& context,
                          std::span<char> line, WriteMore more);

/// `,"name":`, the comma only where a member stands before.
void put_name(LineWriter& out, std::string_view name);
/// A text as a JSON value.
void put_text(LineWriter& out, std::string_view text);

}  // namespace oomdrill::telemetry
