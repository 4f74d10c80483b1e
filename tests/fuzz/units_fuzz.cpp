// The parsers of what users write (base/units.h): all of them over the same text.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/units.h"
#include "require.h"

namespace {

using namespace oomdrill;

template <class T>
Result<T> checked(Result<T> result) {
  if (!result) OOMDRILL_REQUIRE(!result.error().line().empty());
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto bytes = checked(parse_bytes(text))) {
    OOMDRILL_REQUIRE(*bytes <= INT64_MAX);
    OOMDRILL_REQUIRE(*parse_bytes(std::to_string(*bytes)) == *bytes || *bytes > (1ull << 53));
    OOMDRILL_REQUIRE(!format_bytes(*bytes).empty());
  }
  if (const auto amount = checked(parse_amount(text))) {
    constexpr std::uint64_t kLimit = 512u << 20;
    if (const auto resolved = checked(amount->resolve(kLimit))) {
      OOMDRILL_REQUIRE(amount->kind == Amount::Kind::bytes || *resolved <= kLimit);
    }
    OOMDRILL_REQUIRE(amount->resolve(std::nullopt).has_value() ==
                     (amount->kind == Amount::Kind::bytes));
  }
  if (const auto percent = checked(parse_percent(text))) {
    OOMDRILL_REQUIRE(*percent > 0 && *percent <= 100);
  }
  if (const auto rate = checked(parse_rate(text))) {
    OOMDRILL_REQUIRE(*rate > 0 && !std::isnan(*rate));
    OOMDRILL_REQUIRE(!format_rate(*rate).empty());
  }
  if (const auto duration = checked(parse_duration(text))) {
    OOMDRILL_REQUIRE(duration->count() >= 0);
    OOMDRILL_REQUIRE(!format_duration(*duration).empty());
  }
  if (const auto whole = checked(parse_whole(text, 1, 8))) {
    OOMDRILL_REQUIRE(*whole >= 1 && *whole <= 8);
  }
  return 0;
}
