#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "telemetry/event.h"

namespace oomdrill::telemetry {

/// What every event of a process carries beside its own fields.
struct Context {
  /// Members of every event in order: cluster, service, family, revision, task_id,
  /// container_name, container_id, …; ids are members, never dimensions.
  std::vector<std::pair<std::string, std::string>> members;
  /// EMF only.
  std::string metric_namespace = "oomdrill";
  /// EMF only: one set a directive, names with their values; also members of the root. Low in
  /// cardinality: {ClusterName, ServiceName}, {TaskDefinitionFamily, ContainerName}. Empty: one
  /// dimensionless set.
  std::vector<std::vector<std::pair<std::string, std::string>>> dimension_sets;
};

/// Turns one event into one line with its newline, in place. Pure; does not allocate.
/// The line is complete and valid whatever the event holds: control characters are escaped, text
/// that is not UTF-8 is replaced, numbers that are not finite become null, and where the line
/// would exceed the buffer, members from the last on are left out and `"truncated":true` is set.
using Encode = std::size_t (*)(const Event& event, std::uint64_t seq, const Context& context,
                               std::span<char> line);

struct Encoder {
  std::string_view name;  ///< "json", "emf", "text": as --format takes it
  std::string_view help;
  Encode encode;
};

/// The one table of output formats.
std::span<const Encoder> encoders();

/// Resolves --format. `auto`: text on a terminal, emf inside ECS, else json.
Result<Encoder> choose_encoder(std::string_view format, bool is_terminal, bool in_ecs);

/// `.namespace` etc. within CloudWatch's rules (aws.md). Error: which rule.
Result<void> validate(const Context& context);

}  // namespace oomdrill::telemetry
