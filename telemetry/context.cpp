#include <algorithm>

#include "telemetry/encoder.h"

namespace oomdrill::telemetry {
namespace {

constexpr std::string_view kNamespaceCharacters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 ._#:/-";
constexpr std::size_t kMostNamespace = 256;
constexpr std::size_t kMostName = 250;
constexpr std::size_t kMostValue = 1024;
constexpr std::size_t kMostDimensions = 30;

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

/// Empty, or what CloudWatch has against a dimension's name or value.
std::string objection(std::string_view text, std::size_t most) {
  if (is_blank(text)) return "is blank";
  if (text.size() > most) return fmt::format("is longer than {} characters", most);
  if (text.front() == ':') return "begins with ':'";
  for (const char c : text) {
    if (c < 0x20 || c > 0x7E) return "holds characters that are not printable ASCII";
  }
  return {};
}

Result<void> validate_namespace(const std::string& name) {
  const std::string remedy = "name it like oomdrill or MyTeam/Memory";
  if (is_blank(name)) return fail("it is blank", "metric namespace", remedy);
  const std::string where = "metric namespace '" + name + "'";
  if (name.size() > kMostNamespace) {
    return fail(fmt::format("it is longer than {} characters", kMostNamespace), where, remedy);
  }
  if (name.find_first_not_of(kNamespaceCharacters) != std::string::npos) {
    return fail("only letters, digits, space and ._#:/- are allowed", where, remedy);
  }
  if (name.starts_with("AWS/")) return fail("AWS/ is reserved for AWS", where, remedy);
  return {};
}

}  // namespace

Result<void> validate(const Context& context) {
  if (auto result = validate_namespace(context.metric_namespace); !result) return result;
  std::vector<std::pair<std::string, std::string>> seen;
  for (const auto& set : context.dimension_sets) {
    if (set.size() > kMostDimensions) {
      return fail(fmt::format("{} dimensions in a set, more than {}", set.size(), kMostDimensions));
    }
    for (const auto& dimension : set) {
      const std::string where = "dimension '" + dimension.first + "'";
      if (const auto what = objection(dimension.first, kMostName); !what.empty()) {
        return fail("its name " + what, where);
      }
      if (const auto what = objection(dimension.second, kMostValue); !what.empty()) {
        return fail(fmt::format("its value '{}' {}", dimension.second, what), where);
      }
      const auto other = std::find_if(seen.begin(), seen.end(), [&dimension](const auto& earlier) {
        return earlier.first == dimension.first;
      });
      if (other != seen.end() && other->second != dimension.second) {
        return fail(
            fmt::format("it has two values, '{}' and '{}'", other->second, dimension.second),
            where);
      }
      seen.push_back(dimension);
    }
  }
  return {};
}

}  // namespace oomdrill::telemetry
