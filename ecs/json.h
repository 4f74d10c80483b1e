#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/error.h"

/// What the endpoint's answers have in common.
namespace oomdrill::ecs {

using Json = nlohmann::json;

/// A member of the wrong type is as if missing.
inline std::string text(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

inline Json member(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_object() ? *it : Json::object();
}

inline Result<Json> parse_object(std::string_view text) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return fail("the answer is no JSON object");
  return json;
}

}  // namespace oomdrill::ecs
