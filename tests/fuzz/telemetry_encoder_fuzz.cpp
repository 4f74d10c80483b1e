// Any event into a line of any length, by every encoder. The input is a program that builds the
// event: the length of the line, then a step a field (its kind, its name, its value).
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "require.h"
#include "telemetry/encoder.h"

namespace {

using namespace oomdrill;
using namespace oomdrill::telemetry;

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size)
      : rest_(reinterpret_cast<const char*>(data), size) {}
  [[nodiscard]] bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    const std::string_view taken = take(1);
    return taken.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(taken[0]);
  }
  /// A text with its length in front.
  std::string_view text() { return take(byte()); }
  template <class T>
  T value() {
    T out{};
    const std::string_view bytes = take(sizeof out);
    std::memcpy(&out, bytes.data(), bytes.size());
    return out;
  }

 private:
  std::string_view take(std::size_t most) {
    const std::string_view taken = rest_.substr(0, most);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  std::string_view rest_;
};

Context read_context(Input& input) {
  Context context;
  for (int members = input.byte() % 4; members > 0; --members) {
    const std::string name(input.text());
    context.members.emplace_back(name, input.text());
  }
  for (int sets = input.byte() % 3; sets > 0; --sets) {
    const std::string name(input.text());
    context.dimension_sets.push_back({{name, std::string(input.text())}});
  }
  return context;
}

void add_field(Event& event, Input& input) {
  switch (input.byte() % 8) {
    case 0: {
      const auto name = input.text();
      event.text(name, input.text());
      break;
    }
    case 1:
      event.number(input.text(), input.value<std::uint64_t>());
      break;
    case 2:
      event.integer(input.text(), input.value<std::int64_t>());
      break;
    case 3:
      event.real(input.text(), input.value<double>());
      break;
    case 4:
      event.boolean(input.text(), input.byte() != 0);
      break;
    case 5:
      event.begin(input.text());
      break;
    case 6:
      event.end();
      break;
    case 7:
      event.metric(input.text(), input.value<double>(), Unit::bytes);
      break;
  }
}

void check_json(std::string_view line, const Context& context) {
  // It also refuses what is not UTF-8.
  const auto json = nlohmann::json::parse(line, nullptr, false);
  OOMDRILL_REQUIRE(json.is_object());
  const auto aws = json.find("_aws");
  if (aws == json.end() || !aws->is_object() || !aws->contains("CloudWatchMetrics")) return;
  const auto& directive = (*aws)["CloudWatchMetrics"][0];
  OOMDRILL_REQUIRE(directive["Dimensions"].size() ==
                   std::max<std::size_t>(context.dimension_sets.size(), 1));
  for (const auto& set : directive["Dimensions"]) {
    for (const auto& name : set) OOMDRILL_REQUIRE(json.contains(name.get<std::string>()));
  }
  OOMDRILL_REQUIRE(!directive["Metrics"].empty());
  for (const auto& metric : directive["Metrics"]) {
    OOMDRILL_REQUIRE(json.contains(metric["Name"].get<std::string>()));
  }
}

void check_text(std::string_view line) {
  for (const char c : line) OOMDRILL_REQUIRE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  // Mostly short lines, where every part of an event may be the one that does not fit.
  const std::size_t selector = input.byte();
  const std::size_t length = selector < 250 ? selector * 4 : kMaxLine;
  const Context context = read_context(input);
  const auto name = input.text();
  Event event(name, WallTime(std::chrono::milliseconds(input.value<std::uint32_t>())));
  while (!input.empty()) add_field(event, input);

  for (const Encoder& encoder : encoders()) {
    // Of its exact size, so that a sanitizer sees a write past its end.
    std::string line(length, '#');
    const std::size_t used = encoder.encode(event, 1, context, line);
    OOMDRILL_REQUIRE(used <= length);
    OOMDRILL_REQUIRE(used > 0 || length < 20);
    if (used == 0) continue;
    const std::string_view text(line.data(), used);
    OOMDRILL_REQUIRE(text.find('\n') == used - 1);
    if (encoder.name == "text") {
      check_text(text.substr(0, used - 1));
    } else {
      check_json(text, context);
    }
  }
  return 0;
}
