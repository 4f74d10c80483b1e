#include <fcntl.h>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>

#include "base/clock.h"
#include "base/file.h"
#include "fixture_tree.h"

namespace oomdrill {
namespace {

TEST(FormatTime, IsRfc3339WithMilliseconds) {
  char text[25];
  format_time(WallTime(std::chrono::milliseconds(1'700'000'000'007)), text);
  EXPECT_STREQ(text, "2023-11-14T22:13:20.007Z");
  format_time(WallTime(std::chrono::seconds(951'782'400)), text);
  EXPECT_STREQ(text, "2000-02-29T00:00:00.000Z");
}

TEST(SystemClock, SleepsToAnAbsoluteDeadline) {
  SystemClock clock;
  const auto deadline = clock.now() + std::chrono::milliseconds(5);
  clock.sleep_until(deadline);
  EXPECT_GE(clock.now(), deadline);
}

TEST(ReadFile, NamesThePathItCouldNotOpen) {
  test::FixtureTree tree;
  const auto missing = read_file(tree.root() / "/none");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().errnum, ENOENT);
  EXPECT_NE(missing.error().line().find("/none: cannot open"), std::string::npos);
}

TEST(ReadFile, ReadsWholeFilesAndRefusesOversized) {
  test::FixtureTree tree;
  const std::string large(10'000, 'x');
  tree.file("/f", large);
  EXPECT_EQ(*read_file(tree.root() / "/f"), large);
  EXPECT_FALSE(read_file(tree.root() / "/f", 9'999));
}

TEST(PreadAll, ReadsFromTheStartEachTimeAndReportsOverflow) {
  test::FixtureTree tree;
  tree.file("/f", "12345");
  const auto fd = open_file(tree.root() / "/f", O_RDONLY);
  std::array<char, 6> buffer{};
  EXPECT_EQ(pread_all(fd->get(), buffer), 5);
  EXPECT_EQ(pread_all(fd->get(), buffer), 5);
  EXPECT_EQ(pread_all(fd->get(), std::span(buffer).first(5)), -EOVERFLOW);
  EXPECT_EQ(pread_all(-1, buffer), -EBADF);
}

}  // namespace
}  // namespace oomdrill
