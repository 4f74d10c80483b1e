#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/units.h"

/// The ECS task metadata endpoint, version 4. Absent everywhere but on ECS.
namespace oomdrill::ecs {

/// The variable that ECS sets in every container, "http://169.254.170.2/v4/<token>".
inline constexpr const char* kEndpointVariable = "ECS_CONTAINER_METADATA_URI_V4";

struct Container {
  std::string docker_id;
  std::string name;
  std::string image;
  std::string arn;
  /// Bytes (the endpoint says MiB). nullopt: none is set, which the endpoint writes as 0 or not.
  std::optional<std::uint64_t> memory_limit;
  /// Agents up to 1.105 do not tell it; the name of the member is [unverified].
  std::optional<std::uint64_t> memory_reservation;
  std::optional<std::int64_t> restart_count;
  std::string type;                       ///< "NORMAL"; "CNI_PAUSE" and others are the agent's own
  std::string known_status;               ///< "RUNNING", "STOPPED", …
  std::optional<std::int64_t> exit_code;  ///< of one that has stopped
};

/// What /task and the endpoint itself answer. Every field may be missing: EC2 and Fargate, and
/// agent versions, differ.
struct Task {
  std::string cluster;  ///< its name, also where the endpoint gives an ARN
  std::string arn;
  std::string id;  ///< last part of the ARN
  std::string family;
  std::string revision;
  std::string service;
  std::string launch_type;
  std::string availability_zone;
  std::optional<std::uint64_t> memory_limit;  ///< task level, bytes
  std::vector<Container> containers;
  /// The container that asks; nullopt where the endpoint did not say which one that is.
  std::optional<Container> self;
};

/// From the JSON of `<endpoint>/task` and of `<endpoint>`. Unknown members are passed over; a
/// member of the wrong type is as if missing. Where `container_json` is no object ("": it could
/// not be had), `self` is the task's only container, if it has but one. Error: `task_json` is no
/// JSON object.
Result<Task> parse_task(std::string_view task_json, std::string_view container_json);

/// GETs both, once, each within `timeout`. Error: URL, and what went wrong with the first; without
/// the second the task lacks `self`.
Result<Task> fetch_task(const std::string& endpoint, Nanoseconds timeout);

/// GET of a numeric address (or localhost) over plain HTTP; the body, at most 4 MiB. Redirects are
/// not followed. Error: not complete within `timeout`, a status other than 200, too large.
Result<std::string> http_get(const std::string& url, Nanoseconds timeout);

}  // namespace oomdrill::ecs
