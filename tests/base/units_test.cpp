#include "base/units.h"

#include <gtest/gtest.h>

#include <cmath>

namespace oomdrill {
namespace {

TEST(ParseBytes, ReadsSiAndIec) {
  EXPECT_EQ(*parse_bytes("512MiB"), 512u << 20);
  EXPECT_EQ(*parse_bytes("1MB"), 1'000'000u);
  EXPECT_EQ(*parse_bytes("1.5GiB"), 3u << 29);
  EXPECT_EQ(*parse_bytes("4096"), 4096u);
  EXPECT_EQ(*parse_bytes("64 kib"), 65536u);
  EXPECT_EQ(*parse_bytes("0"), 0u);
}

TEST(ParseBytes, RefusesWhatIsAmbiguousOrWrong) {
  for (const char* text :
       {"", "MiB", "512M", "1k", "-1MiB", "1e3", "12MiB x", "nan", "inf", "99999999TiB"}) {
    const auto result = parse_bytes(text);
    ASSERT_FALSE(result) << text;
    EXPECT_NE(result.error().line().find("512MiB"), std::string::npos) << result.error().line();
  }
}

TEST(ParseAmount, KnowsItsThreeForms) {
  EXPECT_EQ(parse_amount("90%")->kind, Amount::Kind::percent_of_limit);
  EXPECT_EQ(*parse_amount("90%")->resolve(1000), 900u);
  EXPECT_EQ(*parse_amount("100B-headroom")->resolve(1000), 900u);
  EXPECT_EQ(*parse_amount("12KiB")->resolve(std::nullopt), 12288u);
  EXPECT_FALSE(parse_amount("200%"));
  EXPECT_FALSE(parse_amount("0%"));
  EXPECT_FALSE(parse_amount("most"));
}

TEST(ParseAmount, SaysSoWhenThereIsNoLimit) {
  EXPECT_FALSE(parse_amount("90%")->resolve(std::nullopt));
  EXPECT_FALSE(parse_amount("1GiB-headroom")->resolve(1u << 20));
}

TEST(ParseRate, IsBytesASecond) {
  EXPECT_DOUBLE_EQ(*parse_rate("1MB/s"), 1e6);
  EXPECT_DOUBLE_EQ(*parse_rate("1000000"), 1e6);
  EXPECT_DOUBLE_EQ(*parse_rate("60MB/min"), 1e6);
  EXPECT_DOUBLE_EQ(*parse_rate("3600KiB/h"), 1024);
  EXPECT_TRUE(std::isinf(*parse_rate("max")));
  for (const char* text : {"0", "-1MB/s", "fast", "1MB/day", ""})
    EXPECT_FALSE(parse_rate(text)) << text;
}

TEST(ParseDuration, ReadsUnitsAndBareSeconds) {
  using std::chrono::milliseconds;
  EXPECT_EQ(*parse_duration("500ms"), milliseconds(500));
  EXPECT_EQ(*parse_duration("30s"), milliseconds(30'000));
  EXPECT_EQ(*parse_duration("10m"), milliseconds(600'000));
  EXPECT_EQ(*parse_duration("1.5"), milliseconds(1500));
  for (const char* text : {"", "-1s", "soon", "1 fortnight"})
    EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(ParseDuration, SaturatesInsteadOfOverflowing) {
  EXPECT_EQ(*parse_duration("99999999999999h"), Nanoseconds::max());
}

TEST(ParseWhole, ChecksItsRange) {
  EXPECT_EQ(*parse_whole("7", 1, 8), 7u);
  for (const char* text : {"0", "9", "-1", "1.5", "", "7x"})
    EXPECT_FALSE(parse_whole(text, 1, 8)) << text;
}

TEST(Format, IsReadable) {
  EXPECT_EQ(format_bytes(512), "512 B");
  EXPECT_EQ(format_bytes(512u << 20), "512.0 MiB");
  EXPECT_EQ(format_bytes((1u << 20) - 1), "1.0 MiB");
  EXPECT_EQ(format_rate(1e6), "1.00 MB/s");
  EXPECT_EQ(format_duration(std::chrono::milliseconds(450)), "450 ms");
  EXPECT_EQ(format_duration(std::chrono::seconds(200)), "3 min 20 s");
}

}  // namespace
}  // namespace oomdrill
