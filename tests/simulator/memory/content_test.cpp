#include "memory/content.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
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
  Content content(2, *parse_filling("compressible=0"));
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
    Content content(3, *parse_filling("compressible=0"));
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

/// Pages as mmap gives them.
class Fresh : public testing::Test {
 protected:
  static constexpr std::size_t kPages = 64;
  Fresh() : page_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))) {
    void* mapped =
        ::mmap(nullptr, kPages * page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(mapped, MAP_FAILED);
    memory_ = {static_cast<std::byte*>(mapped), kPages * page_};
  }
  ~Fresh() override { ::munmap(memory_.data(), memory_.size()); }
  [[nodiscard]] int resident(std::size_t from, std::size_t pages) const {
    std::array<unsigned char, kPages> map{};
    EXPECT_EQ(::mincore(memory_.data() + from * page_, pages * page_, map.data()), 0);
    return static_cast<int>(std::count_if(map.begin(), map.end(), [](auto p) { return p & 1; }));
  }
  std::size_t page_;
  std::span<std::byte> memory_;
};

TEST_F(Fresh, WritesAPageAsItsFirstByteComes) {
  for (const char* text : {"unique", "zero", "compressible=0.5"}) {
    ::madvise(memory_.data(), memory_.size(), MADV_DONTNEED);
    ::madvise(memory_.data(), memory_.size(), MADV_NOHUGEPAGE);
    Content content(1, *parse_filling(text));
    content.fill_fresh(memory_.first(page_ + 1));
    EXPECT_EQ(resident(0, kPages), 2) << text;
    content.fill_fresh(memory_.subspan(page_ + 1, page_ - 2));
    EXPECT_EQ(resident(0, kPages), 2) << text;
    content.fill_fresh(memory_.subspan(2 * page_ - 1, 30 * page_));
    EXPECT_EQ(resident(0, kPages), 32) << text;
  }
}

TEST_F(Fresh, UniquePagesDifferAndZeroPagesDoNot) {
  const auto kinds_of_page = [this] {
    std::set<std::string> pages;
    for (std::size_t at = 0; at < memory_.size(); at += page_) {
      pages.emplace(reinterpret_cast<const char*>(&memory_[at]), page_);
    }
    return pages.size();
  };
  Content zero(1, *parse_filling("zero"));
  zero.fill_fresh(memory_);
  EXPECT_EQ(kinds_of_page(), 1u);
  Content unique(1);
  unique.fill_fresh(memory_);
  EXPECT_EQ(kinds_of_page(), kPages);
}

TEST_F(Fresh, CompressibleLeavesThatShareOfEachPageZero) {
  Content content(1, *parse_filling("compressible=0.75"));
  const auto zeros = [this](std::size_t page) {
    const auto part = memory_.subspan(page * page_, page_);
    return static_cast<double>(std::count(part.begin(), part.end(), std::byte{0})) /
           static_cast<double>(page_);
  };
  content.fill_fresh(memory_.first(8 * page_));
  EXPECT_NEAR(zeros(3), 0.75, 0.02);
  std::fill(memory_.begin(), memory_.end(), std::byte{1});
  content.fill(memory_);
  EXPECT_NEAR(zeros(40), 0.75, 0.02);
}

TEST(Content, ASplitSourceGoesItsOwnWay) {
  Content content(1);
  Content other = content.split();
  std::array<std::byte, 8> one{};
  std::array<std::byte, 8> two{};
  for (int i = 0; i < 100; ++i) {
    content.fill(one);
    other.fill(two);
    EXPECT_NE(one, two);
  }
}

TEST(ParseFilling, RefusesWhatIsNone) {
  for (const char* text : {"", "random", "compressible", "compressible=", "compressible=1",
                           "compressible=-0.1", "compressible=0.5x", "compressible=nan"}) {
    const auto filling = parse_filling(text);
    ASSERT_FALSE(filling) << text;
    EXPECT_FALSE(filling.error().remedy.empty()) << text;
  }
  EXPECT_EQ(parse_filling("compressible=0.25")->share, 0.25);
}

}  // namespace
}  // namespace oomdrill::memory
