#pragma once

#include "telemetry/encoder.h"

namespace oomdrill::telemetry {
std::size_t encode_json(const Event& event, std::uint64_t seq, const Context& context,
                        std::span<char> line);
std::size_t encode_emf(const Event& event, std::uint64_t seq, const Context& context,
                       std::span<char> line);
std::size_t encode_text(const Event& event, std::uint64_t seq, const Context& context,
                        std::span<char> line);
}  // namespace oomdrill::telemetry
