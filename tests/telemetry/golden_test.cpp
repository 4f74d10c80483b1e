// One golden file an encoder: how every event looks. To write them anew after a wanted change:
//   OOMDRILL_UPDATE_GOLDEN=1 build/dev/tests/telemetry_test --gtest_filter='*Golden*'

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "sample_events.h"
#include "tree.h"

namespace oomdrill::telemetry {
namespace {

class Golden : public testing::TestWithParam<Encoder> {};

TEST_P(Golden, EveryEvent) {
  ::setenv("TZ", "UTC0", 1);  // `text` shows local time
  ::tzset();
  const Encoder& encoder = GetParam();
  const Context context = encoder.name == "emf" ? sample_context() : Context{};
  std::string actual;
  std::uint64_t seq = 0;
  for (const Event& event : every_event()) {
    std::array<char, kMaxLine> line;
    actual.append(line.data(), encoder.encode(event, ++seq, context, line));
  }
  const std::string path =
      test::tests_folder() + "/telemetry/golden/" + std::string(encoder.name) + ".txt";
  if (std::getenv("OOMDRILL_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << actual;
  }
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file) << path;
  std::ostringstream expected;
  expected << file.rdbuf();
  EXPECT_EQ(actual, expected.str()) << path;
}

INSTANTIATE_TEST_SUITE_P(Encoders, Golden, testing::ValuesIn(encoders().begin(), encoders().end()),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace oomdrill::telemetry
