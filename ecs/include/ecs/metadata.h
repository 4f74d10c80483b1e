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
  std::optional<std::uint64_t> memory_limit;        ///< bytes (the endpoint says MiB)
  std::optional<std::uint64_t> memory_reservation;  ///< bytes
  std::optional<std::int64_t> restart_count;
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
  std::optional<Container> self;  ///< the container that asks
};

/// From the JSON of `<endpoint>/task` and `<endpoint>` ("" where that failed). Unknown members
/// are passed over; a member of the wrong type is as if missing. Error: not JSON, or no object.
Result<Task> parse_task(std::string_view task_json, std::string_view container_json);

/// GETs both, once, each within `timeout`. Error: URL, and what went wrong.
Result<Task> fetch_task(const std::string& endpoint, Nanoseconds timeout);

/// GET of a numeric address over plain HTTP; the body, at most 4 MiB. Error: no answer within
/// `timeout`, a status other than 200, too large.
Result<std::string> http_get(const std::string& url, Nanoseconds timeout);

}  // namespace oomdrill::ecs
