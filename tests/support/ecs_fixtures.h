#pragma once

#include <string>

#include "base/file.h"
#include "http_endpoint.h"
#include "tree.h"

namespace oomdrill::test {

/// What the endpoint answers: shapes as AWS documents them for Fargate and EC2, ids made up.
inline std::string ecs_fixture(const std::string& name) {
  return *read_file(fixtures() + "/ecs/" + name + ".json");
}

/// `prefix` is "fargate" or "ec2". The endpoint is url() + "/v4/token".
inline HttpEndpoint::Handler ecs_handler(const std::string& prefix) {
  return [prefix](const std::string& path) {
    if (path == "/v4/token/task") return HttpEndpoint::ok(ecs_fixture(prefix + "_task"));
    if (path == "/v4/token") return HttpEndpoint::ok(ecs_fixture(prefix + "_container"));
    return HttpEndpoint::status(404);
  };
}

}  // namespace oomdrill::test
