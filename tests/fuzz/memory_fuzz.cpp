// What users write about memory: --kind on the first line, --content on the second, and in the rest
// what the environment and the loader say of malloc's tunables.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "memory/content.h"
#include "memory/memory.h"
#include "require.h"
#include "tunables.h"

namespace {

using namespace oomdrill;

std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return line;
}

void check_kind(std::string_view text) {
  const auto choice = memory::parse_kind(memory::kinds(), text);
  if (!choice) {
    OOMDRILL_REQUIRE(!choice.error().line().empty());
    return;
  }
  OOMDRILL_REQUIRE(text.starts_with(choice->kind->name));
  std::string spelled(choice->kind->name);
  char separator = ':';
  for (const plan::Parameter& parameter : choice->kind->parameters) {
    const std::string_view value = memory::setting(choice->settings, parameter);
    if (value.empty()) continue;  // the default of a folder
    spelled += separator + std::string(parameter.name) + "=" + std::string(value);
    separator = ',';
  }
  // All that applies, written out, is the same choice. A ',' in a folder's name cannot be written.
  const auto again = memory::parse_kind(memory::kinds(), spelled);
  OOMDRILL_REQUIRE(again && again->kind == choice->kind);
  for (const plan::Parameter& parameter : choice->kind->parameters) {
    OOMDRILL_REQUIRE(memory::setting(again->settings, parameter) ==
                     memory::setting(choice->settings, parameter));
  }
  const memory::Claim claim = choice->claim();
  OOMDRILL_REQUIRE(claim.overhead >= 0 && claim.overhead < 1);
}

void check_content(std::string_view text) {
  const auto filling = memory::parse_filling(text);
  if (!filling) {
    OOMDRILL_REQUIRE(!filling.error().line().empty());
    return;
  }
  OOMDRILL_REQUIRE(filling->share >= 0 && filling->share < 1);
}

void check_tunables(std::string_view text) {
  for (const std::string& name : simulator::malloc_tunables_in(text)) {
    OOMDRILL_REQUIRE(!name.empty() && text.find("glibc.malloc." + name) != std::string_view::npos);
    const std::string value = simulator::value_in_list(text, name);
    OOMDRILL_REQUIRE(value.find('\n') == std::string::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  check_kind(take_line(text));
  check_content(take_line(text));
  check_tunables(text);
  return 0;
}
