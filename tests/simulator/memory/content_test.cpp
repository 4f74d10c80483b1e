#include "memory/content.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <vector>

namespace oomdrill::memory {
namespace {

TEST(Content, NoTwoPagesAreAlike) {
  std::vector<std::byte> memory(std::size_t{4096} * 256);
  Content content(1);
  content.fill(memory);
  std::set<std::string> pages;
  for (std::size_t at = 0; at < memory.size(); at += 4096) {
    pages.emplace(reinterpret_cast<const char*>(&memory[at]), 4096);
  }
  EXPECT_EQ(pages.size(), 256u);
}

TEST(Content, DoesNotCompress) {
  // Of 64 Ki random bytes each value occurs 256 times, give or take 16 (one
  // sigma).
  std::vector<std::byte> memory(64 << 10);
  Content content(2);
  content.fill(memory);
  std::array<int, 256> counts{};
  for (const std::byte byte : memory) ++counts[std::to_integer<std::size_t>(byte)];
  for (const int count : counts) {
    EXPECT_GT(count, 150);
    EXPECT_LT(count, 370);
  }
}

TEST(Content, FillsToTheLastByteAndNotBeyond) {
  for (std::size_t size = 0; size < 40; ++size) {
    std::vector<std::byte> memory(size + 8, std::byte{0});
    // A zero byte may be content: several fills make it unlikely that one stays
    // zero.
    std::vector<bool> written(size);
    Content content(3);
    for (int i = 0; i < 8; ++i) {
      content.fill(std::span(memory).first(size));
      for (std::size_t at = 0; at < size; ++at) {
        if (memory[at] != std::byte{0}) written[at] = true;
      }
    }
    EXPECT_EQ(std::count(written.begin(), written.end(), false), 0) << size;
    for (std::size_t at = size; at < memory.size(); ++at) EXPECT_EQ(memory[at], std::byte{0});
  }
}

}  // namespace
}  // namespace oomdrill::memory
