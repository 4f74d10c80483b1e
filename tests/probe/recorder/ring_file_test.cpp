#include "recorder/ring_file.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "fixture_tree.h"

namespace oomdrill::probe {
namespace {

constexpr std::uint64_t kSize = RingFile::kLeastSize;

std::string line_of(std::size_t n, std::size_t size = 100) {
  std::string text = std::to_string(n) + " ";
  text.resize(size - 1, static_cast<char>('a' + n % 26));
  return text + "\n";
}

class RingFileTest : public ::testing::Test {
 protected:
  [[nodiscard]] RingFile open() const {
    auto file = RingFile::open(path(), kSize);
    if (!file) throw std::runtime_error(file.error().line());
    return std::move(*file);
  }
  [[nodiscard]] std::string path() const { return tree.path() + "/flight"; }
  [[nodiscard]] std::vector<std::string> lines() const {
    const auto bytes = read_file(path());
    const auto found = read_ring(*bytes, path());
    EXPECT_TRUE(found) << found.error().line();
    return found ? *found : std::vector<std::string>();
  }
  test::FixtureTree tree;
};

TEST_F(RingFileTest, GivesBackWhatWasWritten) {
  {
    RingFile file = open();
    EXPECT_FALSE(file.previous());
    for (std::size_t i = 0; i < 5; ++i) EXPECT_TRUE(file.write(line_of(i, 100 + 500 * i)));
  }
  const auto found = lines();
  ASSERT_EQ(found.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(found[i], line_of(i, 100 + 500 * i));
}

TEST_F(RingFileTest, TheNewestTakeThePlaceOfTheOldestAndTheSizeStays) {
  RingFile file = open();
  for (std::size_t i = 0; i < 1000; ++i) file.write(line_of(i, 700));
  const auto found = lines();
  EXPECT_GE(found.size(), 55U);
  EXPECT_EQ(found.back(), line_of(999, 700));
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i], line_of(1000 - found.size() + i, 700));
  }
  EXPECT_LE(read_file(path())->size(), kSize);
}

TEST_F(RingFileTest, TheNextRunGoesOnBehindTheOneBefore) {
  {
    RingFile file = open();
    file.write(line_of(1));
    RunState state;
    state.used_bytes = 77;
    file.update(state);
    state.used_bytes = 78;
    file.update(state);
  }
  RingFile file = open();
  ASSERT_TRUE(file.previous());
  EXPECT_EQ(file.previous()->used_bytes, 78U);
  EXPECT_EQ(file.previous()->stopped, 0U);
  file.write(line_of(2));
  EXPECT_EQ(lines(), (std::vector{line_of(1), line_of(2)}));
}

TEST_F(RingFileTest, ASlotThatWasBeingWrittenIsLeftOut) {
  {
    RingFile file = open();
    for (std::size_t i = 0; i < 3; ++i) file.write(line_of(i, 700));
  }
  std::string bytes = *read_file(path());
  // Line 1 stands in slots 3 and 4; the last byte of its second part is another's.
  bytes[RingFile::kHeader + 4 * RingFile::kSlot + 20] ^= 1;
  tree.file("/flight", bytes);
  EXPECT_EQ(lines(), (std::vector{line_of(0, 700), line_of(2, 700)}));
}

TEST_F(RingFileTest, WhatASigkillInterruptsIsWholeLines) {
  for (int run = 0; run < 10; ++run) {
    int opened[2];
    ASSERT_EQ(::pipe(opened), 0);
    const pid_t pid = ::fork();
    if (pid == 0) {
      RingFile file = open();
      (void)!::write(opened[1], "o", 1);
      for (std::size_t i = 0;; ++i) file.write(line_of(i, 900));
    }
    ::close(opened[1]);
    char byte = 0;
    ASSERT_EQ(::read(opened[0], &byte, 1), 1);
    ::close(opened[0]);
    ::usleep(3000);
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    for (const auto& line : lines()) {
      ASSERT_EQ(line, line_of(std::stoul(line), 900));
    }
  }
}

TEST_F(RingFileTest, AStartThatWasKilledBeforeTheHeaderLeavesNoObstacle) {
  tree.file("/flight", std::string(kSize / 2, '\0'));
  {
    RingFile file = open();
    EXPECT_FALSE(file.previous());
    EXPECT_TRUE(file.write(line_of(1, 100)));
  }
  EXPECT_EQ(lines(), std::vector<std::string>{line_of(1, 100)});
  EXPECT_GT(read_file(path())->size(), kSize / 2) << "as large as was asked for";
}

TEST_F(RingFileTest, TwoProbesDoNotShareOne) {
  const RingFile file = open();
  const auto other = RingFile::open(path(), kSize);
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().line().find("in use by another oomprobe"), std::string::npos);
}

TEST_F(RingFileTest, RefusesWhatItDidNotMake) {
  tree.file("/flight", std::string(100'000, 'x'));
  EXPECT_FALSE(RingFile::open(path(), kSize));
  EXPECT_FALSE(read_ring(std::string(100'000, 'x'), "x"));
  EXPECT_FALSE(read_ring({}, "x"));
  EXPECT_FALSE(RingFile::open(tree.path(), kSize)) << "a folder";
}

}  // namespace
}  // namespace oomdrill::probe
